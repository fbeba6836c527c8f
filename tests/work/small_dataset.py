"""A small dataset that a test builds."""

from __future__ import annotations

import json

import pytest

from engine.assets import STARTER_MODEL
from engine.domain import Bug, Model, span_of_change
from engine.rundir import Inputs, RunDir
from engine.specs import DatasetSpec
from engine.work.build import build

STARTER = Inputs(model=Model("starter", "base", str(STARTER_MODEL)))


def pair(number: int, project: str = "") -> dict[str, str]:
    code = f"def f{number}(a, b):\n    c = a + {number}\n    return b - c\n"
    return {"buggy_function": code, "fixed_function": code.replace("-", "*"), "project": project or f"p{number % 7}"}


@pytest.fixture
def make(tmp_path):
    """Build from rows (or with a builder of its own) and return run, report and the rows of both files."""

    def made(rows=None, builder=None, inputs=STARTER, **settings):
        folder = tmp_path / f"run{len(list(tmp_path.iterdir()))}"
        if builder is None:
            source = tmp_path / f"{folder.name}.jsonl"
            source.write_text("".join(json.dumps(row) + "\n" for row in rows))
            builder = {"name": "columns", "file": str(source), "project": "project"}
        spec = DatasetSpec.model_validate({"builder": builder, "exclude": (), **settings})
        run = RunDir.create(folder, spec.model_dump(mode="json"), inputs)
        report = build(spec, inputs, run)
        return run, report, read(run, "train"), read(run, "valid")

    return made


def read(run: RunDir, side: str) -> list[dict]:
    from pyarrow import parquet

    return parquet.read_table(run.artifacts / f"{side}.parquet").to_pylist()


def bug(number, day="", project=""):
    code = f"def f{number}(a, b):\n    return a - b + {number}\n"
    fixed = code.replace("-", "*")
    return Bug(
        f"b{number}", "python", "a.py", code, fixed, span_of_change(code, fixed), project=project, date=day, cwe="CWE-1"
    )


@pytest.fixture
def build_of(make, monkeypatch):
    """Build from these bugs."""

    def built(*bugs, **settings):
        class Given:
            name, makes = "faults", "bugs"

            def stream(self, seed, funnel):
                funnel.source = len(bugs)
                yield from bugs

            def total(self):
                return len(bugs)

        monkeypatch.setattr("engine.work.build.BUILDERS.create", lambda params: Given())
        return make([], builder={"name": "faults"}, **settings)

    return built
