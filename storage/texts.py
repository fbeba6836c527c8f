"""Texts, each stored once and found by a hash of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from sqlalchemy import insert, select
from sqlmodel import Session, col

from storage.tables import Text

AT_ONCE = 500  # values in one query; SQLite allows 32,766


def content_hash(text: str) -> bytes:
    """A hash of 16 bytes, long enough that no two texts have the same one."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def store(session: Session, texts: Iterable[str]) -> dict[str, int]:
    """Store the texts that are not stored yet; returns text -> id. Call it in a transaction that writes."""
    hashes = {text: content_hash(text) for text in texts}
    known = _ids(session, hashes.values())
    missing = {text: found for text, found in hashes.items() if found not in known}
    if missing:
        session.execute(insert(Text), [{"hash": found, "text": text} for text, found in missing.items()])
        known |= _ids(session, missing.values())
    return {text: known[found] for text, found in hashes.items()}


def read(session: Session, ids: Iterable[int | None]) -> Mapping[int | None, str]:
    """Id -> text; None is ignored."""
    wanted = list({each for each in ids if each is not None})
    found: dict[int | None, str] = {}
    for start in range(0, len(wanted), AT_ONCE):
        query = select(col(Text.id), col(Text.text)).where(col(Text.id).in_(wanted[start : start + AT_ONCE]))
        found |= {row[0]: row[1] for row in session.execute(query)}
    return found


def _ids(session: Session, hashes: Iterable[bytes]) -> dict[bytes, int]:
    wanted = list(hashes)
    found: dict[bytes, int] = {}
    for start in range(0, len(wanted), AT_ONCE):
        query = select(col(Text.hash), col(Text.id)).where(col(Text.hash).in_(wanted[start : start + AT_ONCE]))
        found |= {row[0]: row[1] for row in session.execute(query)}
    return found
