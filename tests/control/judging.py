"""What the worker of a benchmark run says about one bug."""

from __future__ import annotations


def judge(folder, bug_id, outcomes, *, kind="off_by_one", fix="plausible", buggy="test_failed"):
    folder.append(
        "bug", id=bug_id, language="python", path="a.py", kind=kind, start=1, end=1, buggy="x = 1\n", fixed="x = 2\n"
    )
    controls = [("known_fix", 0, fix, "x = 2\n"), ("buggy_code", 0, buggy, "x = 1\n")]
    models = [("model", rank, outcome, f"x = {rank}\n") for rank, outcome in enumerate(outcomes, 1)]
    for source, rank, outcome, text in controls + models:
        verdict = {"outcome": outcome, "log": "=danger", "sandbox": "bubblewrap 0.8.0"}
        folder.append("patch", bug_id=bug_id, source=source, rank=rank, text=text, completion=text, verdict=verdict)
