"""RepairBench's total.json: the figures of a model by which its page ranks it.

The fields and the formula are those of `scripts/compute_total.py` in https://github.com/ASSERT-KTH/repairbench, on the
statistics of `evaluate_patches.py` in https://github.com/ASSERT-KTH/elle-elle-aime: `@1` is the share of all candidates
of all bugs together, rounded to three digits. `mean@1` is ours beside it: each bug's share, and their mean over the
bugs, as HumanEval counts.
"""

from __future__ import annotations

import json
from statistics import fmean
from typing import BinaryIO

from engine.domain import Outcome
from engine.exchange.exported import Exported, Form

FORMULAS = {
    "@1": "candidates that are plausible, or match, of all candidates of all bugs that have a text",
    "mean@1": "the same share of each bug's own candidates, and the mean over the bugs",
}


def write(run: Exported, file: BinaryIO) -> None:
    """One JSON object; tokens and cost are null where they are not known.

    A candidate whose tests could not be run is left out, as in every figure of ours; theirs counts it as failed.
    """
    costs = run.costs()
    tokens = (costs.tokens_read, costs.tokens_written)
    patches = 0
    matching: dict[str, int] = {}  # bug -> candidates, for each bug that has such candidates
    plausible: dict[str, int] = {}
    shares: list[tuple[float, float]] = []  # of a bug's candidates that match, and that are plausible
    for bug in run.bugs():
        kept = [each for each in bug.candidates if each.text and each.outcome != Outcome.NOT_RUN]
        if not kept:
            continue
        name = bug.bug_id.rpartition("/")[2]
        same = sum(each.is_known_fix or bool(each.is_known_tree) for each in kept)
        good = sum(each.outcome == Outcome.PLAUSIBLE for each in kept)
        patches += len(kept)
        matching |= {name: same} if same else {}
        plausible |= {name: good} if good else {}
        shares.append((same / len(kept), good / len(kept)))
    total = {
        "num_patches": patches,
        "num_ast_match_patches": sum(matching.values()),
        "num_plausible_patches": sum(plausible.values()),
        "num_bugs_with_ast_match_candidates": len(matching),
        "num_bugs_with_plausible_candidates": len(plausible),
        "ast_match@1": round(sum(matching.values()) / patches, 3) if patches else None,
        "plausible@1": round(sum(plausible.values()) / patches, 3) if patches else None,
        "bugs_with_ast_match_candidates": sorted(matching),
        "bugs_with_plausible_candidates": sorted(plausible),
        "prompt_tokens": costs.tokens_read,
        "completion_tokens": costs.tokens_written,
        "total_tokens": None if None in tokens else sum(tokens),  # type: ignore[arg-type]
        "cost": costs.money,
        "ast_match_mean@1": round(fmean(one for one, _ in shares), 3) if shares else None,
        "plausible_mean@1": round(fmean(other for _, other in shares), 3) if shares else None,
        "formulas": FORMULAS,
    }
    file.write(json.dumps(total, ensure_ascii=False, indent=4).encode("utf-8", "replace") + b"\n")


FORM = Form(
    "repairbench",
    ".json",
    "RepairBench",
    "total.json: the figures as RepairBench counts them, and the names of the repaired bugs",
    write,
    is_of_whole=True,
    is_of_draws=True,
)
