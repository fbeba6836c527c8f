"""What is said of the curves of a training: what looks wrong in them, and how its bug panel stands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlmodel import Session

from engine.curve_warnings import NEEDED, CurveWarning, warnings_of
from engine.scoring import Share
from storage import curves, queries

PARTS = 60  # of a curve in which something is looked for
_RANK = re.compile(r"plausible_at_([1-9][0-9]{0,8})")
LAST = 2.0**63  # after every step
_MOST = 10**9  # bugs of a panel; a larger count is no count


@dataclass(frozen=True)
class PanelStanding:
    """plausible@k of a panel: the last, and the best of those after the first step."""

    k: int
    step: int
    share: Share
    best_step: int
    best: Share

    @property
    def words(self) -> str:
        """As in "4 of 12 (14 to 61 %) at step 40; best 5 of 12 at step 20"."""
        low, high = self.share.interval
        now = f"{self.share.hits} of {self.share.total} ({low:.0%} to {high:.0%}) at step {self.step}"
        return f"{now}; best {self.best.hits} of {self.best.total} at step {self.best_step}"


def warnings(session: Session, run_id: int) -> list[CurveWarning]:
    """What looks wrong in the curves of a training."""
    read = {name: curves.averages(session, run_id, name, 0, LAST, PARTS) for name in NEEDED}
    return warnings_of({name: [(round(step), value) for step, value, _, _ in parts] for name, parts in read.items()})


def panel(session: Session, run_id: int) -> list[PanelStanding]:
    """One for each k; none where the training has no panel, or nothing could be tested."""
    names = curves.names(session, run_id)
    ranks = sorted(int(found[1]) for name in names if (found := _RANK.fullmatch(name)))
    return [standing for k in ranks if (standing := _standing(session, run_id, k))]


def _standing(session: Session, run_id: int, k: int) -> PanelStanding | None:
    hits, totals = (
        {step: int(min(max(value, 0), _MOST)) for step, value, _ in curves.curve(session, run_id, name, *_ALL)}
        for name in (f"plausible_at_{k}_bugs", f"plausible_at_{k}_of")
    )
    shares = {step: Share(number, totals[step]) for step, number in hits.items() if totals.get(step, 0) >= number}
    if not shares:
        return None
    later = [step for step in shares if step] or [*shares]
    best = max(later, key=lambda step: (shares[step].fraction, -step))
    last = max(shares)
    return PanelStanding(k, last, shares[last], best, shares[best])


_ALL = (0, queries.LARGEST_ID)
