r"""Prompts and answers have lines that end with "\n", whatever the file of a bug has."""

from __future__ import annotations

from engine.domain import Bug


def plain(text: str) -> str:
    r"""`text` with "\n" in the place of "\r\n"."""
    return text.replace("\r\n", "\n")


def as_written(fix: str, bug: Bug) -> str:
    """Lines of the repaired file as a model is to write them; a file of both kinds of line ends keeps them."""
    return plain(fix) if bug.is_crlf else fix


def as_in_file(answer: str, bug: Bug) -> str:
    """Lines that a model wrote with the ends that those of the faulty file have."""
    return plain(answer).replace("\n", "\r\n") if bug.is_crlf else answer
