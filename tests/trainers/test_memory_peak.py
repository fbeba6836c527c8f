"""The peak of a process is its own."""

from __future__ import annotations

import subprocess
import sys

from engine.trainers import memory

SAY = "from engine.trainers.memory import peak; print(peak().bytes)"


def peak_of_another() -> int:
    return int(subprocess.run([sys.executable, "-c", SAY], capture_output=True, text=True, check=True).stdout)


def test_the_peak_of_a_program_does_not_include_what_the_process_that_started_it_held():
    small = peak_of_another()
    held = b"x" * (2 * small)
    assert memory.peak().bytes >= len(held)
    assert peak_of_another() < 1.5 * small


def test_the_peak_stays_after_the_memory_is_given_back():
    before = memory.peak().bytes
    held = b"x" * (before + (200 << 20))
    size = len(held)
    del held
    assert memory.peak().bytes >= size
