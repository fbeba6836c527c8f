"""The verbs on people's reviews of patches: give or withdraw one, show those of a run."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from engine.assets import HOME
from engine.control.reviews import VERDICTS, RunReviews
from engine.errors import UserError
from engine.events import MODEL
from engine.scoring import Agreement
from engine.shell.follow import printable, warn
from engine.shell.verbs import Home, Json, RunId, guarded, updated_workspace

BugId = Annotated[str, typer.Argument(metavar="BUG", help="id of the bug")]
Rank = Annotated[int, typer.Argument(metavar="RANK", help="of the candidate, from 1", min=1)]
Verdict = Annotated[str, typer.Option("--verdict", help=", ".join(VERDICTS))]
Reviewer = Annotated[str, typer.Option("--reviewer", help="who has read the patch")]
Note = Annotated[str, typer.Option("--note", help="why")]
Withdraw = Annotated[bool, typer.Option("--withdraw", help="take back the reviewer's verdict, instead of giving one")]


@guarded
def review(
    run_id: RunId,
    bug_id: BugId,
    rank: Rank,
    reviewer: Reviewer,
    verdict: Verdict = "",
    note: Note = "",
    withdraw: Withdraw = False,
    home: Home = HOME,
) -> None:
    """Say whether a patch is correct, having read it; a second review by the same person replaces the first."""
    if withdraw == bool(verdict):
        raise UserError(f"give either --verdict ({', '.join(VERDICTS)}) or --withdraw", field="verdict")
    reviews = updated_workspace(home).reviews
    if withdraw:
        reviews.withdraw(run_id, bug_id, MODEL, rank, reviewer)
        print(f"run {run_id}, {printable(bug_id)}, candidate {rank}: withdrawn by {printable(reviewer.strip())}")
        return
    reviews.give(run_id, bug_id, MODEL, rank, reviewer=reviewer, verdict=verdict, note=note)
    if not reviews.of_patch(run_id, bug_id, MODEL, rank, reviewer).is_plausible:
        warn("the figures count reviews of plausible patches only, and this one is none")
    print(f"run {run_id}, {printable(bug_id)}, candidate {rank}: {verdict}, says {printable(reviewer.strip())}")


@guarded
def reviews(run_id: RunId, home: Home = HOME, json_: Json = False) -> None:
    """Show all reviews of a benchmark run, and how far each two reviewers agree (Cohen's kappa)."""
    found = updated_workspace(home).reviews.of_run(run_id)
    if json_:
        print(json.dumps(as_values(run_id, found)))
        return
    console = Console()
    table = Table("bug", "candidate", "reviewer", "verdict", "note")
    for each in found.reviews:
        place = str(each.rank) if each.source == MODEL else each.source
        texts = (each.bug_id, place, each.review.reviewer, each.review.verdict, each.review.note)
        table.add_row(*(escape(printable(text)) for text in texts))
    console.print(table if table.row_count else "no reviews yet; try `repair-studio review RUN BUG RANK --verdict ...`")
    totals = found.totals
    said = f"{totals.reviewed} of {totals.plausible} plausible patches are reviewed, {totals.correct} of them correct"
    console.print(f"{said}; bugs with a correct patch: {totals.correct_bugs}", highlight=False)
    for agreement in found.agreements:
        console.print(escape(printable(_words(agreement))), highlight=False)


def _words(agreement: Agreement) -> str:
    kappa = "not defined, both say the same throughout" if agreement.kappa is None else f"{agreement.kappa:.2f}"
    return (
        f"{agreement.first} and {agreement.second} have both reviewed {agreement.both} patches and agree on "
        f"{agreement.same}; Cohen's kappa: {kappa}"
    )


def as_values(run_id: int, found: RunReviews) -> dict[str, Any]:
    """All reviews of a run as plain values."""
    given = [{**asdict(each), **asdict(each.review)} for each in found.reviews]
    return {
        "run": run_id,
        **asdict(found.totals),
        "reviews": [{name: value for name, value in each.items() if name != "review"} for each in given],
        "agreements": [asdict(each) for each in found.agreements],
    }
