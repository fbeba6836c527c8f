"""Texts, each stored once and found by a hash of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from sqlalchemy import bindparam, insert, select
from sqlmodel import Session, SQLModel

from storage.tables import Text

AT_ONCE = 500  # values in one query; SQLite allows 32,766
# Statements for the table, built once: with its class it takes SQLAlchemy longer to make one than SQLite to execute it.
_TEXT = SQLModel.metadata.tables[str(Text.__tablename__)]
_insert = insert(_TEXT)
_hashed = select(_TEXT.c.hash, _TEXT.c.id).where(_TEXT.c.hash.in_(bindparam("hashes", expanding=True)))
_by_id = select(_TEXT.c.id, _TEXT.c.text).where(_TEXT.c.id.in_(bindparam("ids", expanding=True)))


def content_hash(text: str) -> bytes:
    """A hash of 16 bytes, long enough that no two texts have the same one."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def store(session: Session, texts: Iterable[str]) -> dict[str, int]:
    """Store the texts that are not stored yet; returns text -> id. Call it in a transaction that writes."""
    hashes = {text: content_hash(text) for text in texts}
    known = _ids(session, hashes.values())
    missing = {text: found for text, found in hashes.items() if found not in known}
    if missing:
        session.execute(_insert, [{"hash": found, "text": text} for text, found in missing.items()])
        known |= _ids(session, missing.values())
    return {text: known[found] for text, found in hashes.items()}


def read(session: Session, ids: Iterable[int | None]) -> Mapping[int | None, str]:
    """Id -> text; None is ignored."""
    wanted = list({each for each in ids if each is not None})
    found: dict[int | None, str] = {}
    for start in range(0, len(wanted), AT_ONCE):
        here = {"ids": wanted[start : start + AT_ONCE]}
        found |= {row[0]: row[1] for row in session.execute(_by_id, here).all()}
    return found


def _ids(session: Session, hashes: Iterable[bytes]) -> dict[bytes, int]:
    wanted = list(hashes)
    found: dict[bytes, int] = {}
    for start in range(0, len(wanted), AT_ONCE):
        here = {"hashes": wanted[start : start + AT_ONCE]}
        found |= {row[0]: row[1] for row in session.execute(_hashed, here).all()}
    return found
