"""A few columns of many runs, for the queue and for lists: a thousand may wait, and are asked for at every tick.

Like those of `bulk`, the statements are for the table and built once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, case, func, or_, select
from sqlmodel import Session, SQLModel

from storage.tables import Run

RUN = SQLModel.metadata.tables[str(Run.__tablename__)]
_FIRST = RUN.alias("first")  # the run that another one waits for
_in_states = RUN.c.state.in_(bindparam("states", expanding=True))
_is_queued = RUN.c.state == "queued"
_place = (RUN.c.place, RUN.c.id)


class Standing(NamedTuple):
    """A run's name, and where it stands in the queue."""

    id: int
    kind: str
    name: str
    place: int
    state: str
    launcher: str  # its name


class Launched(NamedTuple):
    """What a run's spec says of its launcher, by which the room that it takes is known."""

    kind: str
    launcher: str  # its name
    settings: str  # JSON: its settings, and how many workers share the run; null for what the spec does not have


class InVain(NamedTuple):
    """A queued run, and the one that it waits for, which will not be done."""

    id: int
    first: int
    first_name: str
    first_state: str


_standing = select(*(RUN.c[name] for name in Standing._fields))
_standing_in = _standing.where(_in_states).order_by(*_place)
_newest = _standing.order_by(RUN.c.id.desc()).limit(bindparam("most"))
_newest_of = _newest.where(RUN.c.kind.in_(bindparam("kinds", expanding=True)))
_folders = select(RUN.c.kind, RUN.c.folder).where(_in_states)
# a spec that is not JSON for SQLite (a number that is not finite) is one without settings
_settings = case((func.json_valid(RUN.c.spec), func.json_extract(RUN.c.spec, "$.launcher", "$.shards")),
                 else_="[null,null]")  # fmt: skip
_launched = (RUN.c.kind, RUN.c.launcher, _settings)
_launched_in = select(*_launched, func.count()).where(_in_states).group_by(*_launched)
_next = select(RUN.c.id, *_launched).outerjoin(_FIRST, _FIRST.c.id == RUN.c.after)
_next = _next.where(_is_queued, or_(_FIRST.c.id.is_(None), _FIRST.c.state == "done")).order_by(*_place)
_in_vain = select(RUN.c.id, _FIRST.c.id, _FIRST.c.name, _FIRST.c.state).join(_FIRST, _FIRST.c.id == RUN.c.after)
_in_vain = _in_vain.where(_is_queued, _FIRST.c.state.in_(bindparam("states", expanding=True)))


def standing_in(session: Session, states: Sequence[str]) -> Sequence[Standing]:
    """The runs in any of these states, in the order of the queue."""
    return list(map(Standing._make, session.execute(_standing_in, {"states": states}).all()))


def newest(session: Session, kinds: Sequence[str], limit: int) -> Sequence[Standing]:
    """Runs in any state, newest first; of these kinds, or of all where there are none."""
    found = session.execute(
        _newest_of if kinds else _newest, {"most": limit, "kinds": kinds} if kinds else {"most": limit}
    )
    return list(map(Standing._make, found))


def folders_in(session: Session, states: Sequence[str]) -> Sequence[tuple[str, str]]:
    """(kind, folder) of the runs in any of these states."""
    return [(row[0], row[1]) for row in session.execute(_folders, {"states": states}).all()]


def launched_in(session: Session, states: Sequence[str]) -> Sequence[tuple[Launched, int]]:
    """What the runs in any of these states say of their launchers, and how many say so; SQLite reads their specs."""
    return [(Launched(*row[:3]), row[3]) for row in session.execute(_launched_in, {"states": states}).all()]


def waiting(session: Session) -> Sequence[tuple[int, Launched]]:
    """The queued runs that wait for no other run, in the order of the queue."""
    return [(row[0], Launched(*row[1:])) for row in session.execute(_next).all()]


def in_vain(session: Session, states: Sequence[str]) -> Sequence[InVain]:
    """The queued runs that wait for one in any of these states."""
    return list(map(InVain._make, session.execute(_in_vain, {"states": states}).all()))
