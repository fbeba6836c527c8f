"""The system call filter: well formed for both processors, refused on others, and effective."""

from __future__ import annotations

import itertools
import platform
import struct

import pytest

from engine.errors import MissingDependency
from engine.sandboxes.seccomp import MACHINES, program


@pytest.mark.parametrize("machine", MACHINES)
def test_every_jump_lands_inside_the_program(monkeypatch, machine):
    monkeypatch.setattr(platform, "machine", lambda: machine)
    for lends_user, on_disk in itertools.product((False, True), repeat=2):
        steps = list(struct.iter_unpack("<HBBI", program(lends_user=lends_user, on_disk=on_disk)))
        assert 100 < len(steps) < 4096
        for index, (operation, if_true, if_false, _) in enumerate(steps):
            if operation & 0x07 == 0x05:  # a jump
                assert index + 1 + max(if_true, if_false) < len(steps)
        assert steps[-1] == (0x06, 0, 0, 0x7FFF0000)


def test_another_processor_is_refused(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "sparc64")
    with pytest.raises(MissingDependency, match="sparc64"):
        program(lends_user=True, on_disk=True)
