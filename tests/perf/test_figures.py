"""`make perf` prints figures and nothing else, says which bars hold, and never takes a failed measuring for a figure."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SUBJECTS = {
    "good": 'print("noise"); yield Figure("speed", 7.0, "rows/s", 5, is_least=True); yield Figure("time", 1.23456, "s", 2)',
    "slow": 'yield Figure("time", 3.0, "s", 2)',
    "broken": 'raise OSError("no browser")\n    yield',
}


@pytest.fixture
def perf(tmp_path):
    folder = tmp_path / "tests" / "perf"
    folder.mkdir(parents=True)
    for name in ("figures.py", Path(__file__).name):
        shutil.copy(Path(__file__).with_name(name), folder)
    for name, body in SUBJECTS.items():
        (folder / f"{name}.py").write_text(f"from figures import Figure\ndef measure():\n    {body}\n")

    def run(*words):
        done = subprocess.run([sys.executable, str(folder / "figures.py"), *words], capture_output=True, text=True)
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    return run


def test_each_figure_is_one_line_of_json_and_noise_goes_elsewhere(perf):
    code, lines, noise = perf("good")
    assert (code, noise) == (0, "noise\n")
    assert lines == [
        {"figure": "speed", "value": 7.0, "unit": "rows/s", "bar": 5, "holds": True},
        {"figure": "time", "value": 1.2346, "unit": "s", "bar": 2, "holds": True},
    ]


def test_all_are_measured_and_a_missed_limit_is_reported(perf):
    code, lines, noise = perf()
    assert code == 1
    assert {line["figure"]: (line["value"], line["holds"]) for line in lines} == {
        "broken (could not be measured)": (None, False), "speed": (7.0, True), "time": (3.0, False),
    }  # fmt: skip
    assert "no browser" in noise


def test_an_unknown_subject_lists_the_known_ones(perf):
    code, lines, noise = perf("nothing")
    assert (code, lines) == (2, [])
    assert noise == "no subject called nothing; there are: broken, good, slow\n"
