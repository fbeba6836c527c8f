"""The fix that one unified diff describes: the function it changes, faulty and fixed, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from engine.builders.changes import Changed, changed_function
from engine.builders.excerpts import function_in
from engine.builders.file_diffs import Broken, FileDiff, Hunk, read
from engine.builders.source_files import KNOWN, LONGEST_FILE, is_test, language_of
from engine.changed_lines import Change
from engine.domain import lines_of
from engine.languages.source import Source

SEVERAL_HUNKS = "lines between its changes are not in the diff"


def file_changed(text: str, *, reverse: bool, unnamed: str = "") -> FileDiff | str:
    """The one file of code that a diff changes, from faulty to fixed, or a reason to count by.

    Files in no known language are passed over, and tests beside other code. `reverse`: the diff leads from fixed to
    faulty. `unnamed`: the name of the file where the diff names none.
    """
    try:
        files = read(text, unnamed)
    except Broken as error:
        return str(error)
    code = [each for each in files if language_of(each.old or each.new)]
    if not code:
        return f"changes no {KNOWN} file"
    code = [each for each in code if not is_test(each.old or each.new)] or code
    if len(code) > 1:
        return "changes several files"
    file = code[0]
    if not file.old or not file.new:
        return "adds or deletes a whole file"
    if not any(hunk.changes for hunk in file.hunks):
        return "changes no line"
    return _reversed(file) if reverse else file


def is_single_chunk(file: FileDiff) -> bool:
    """At most one run of removed lines and one of added lines, as the reproduction of RepairLLaMA counts."""
    return sum(hunk.runs[0] for hunk in file.hunks) <= 1 and sum(hunk.runs[1] for hunk in file.hunks) <= 1


def function_of(file: FileDiff, sources: Sequence[Path] = ()) -> Changed | str:
    """The function that a file's diff changes, or a reason to count by.

    It is taken from the diff if that holds it whole, else from the first of the folders `sources` that has the file,
    be it faulty or fixed.
    """
    language = language_of(file.old)
    found = SEVERAL_HUNKS if len(file.hunks) > 1 else function_in(file.hunks[0], language)
    return _in_sources(file, language, sources) if isinstance(found, str) and sources else found


def _reversed(file: FileDiff) -> FileDiff:
    hunks = [
        replace(
            hunk, old_start=hunk.new_start, new_start=hunk.old_start, old=hunk.new, new=hunk.old,
            changes=[each.reversed() for each in hunk.changes], runs=(hunk.runs[1], hunk.runs[0]),
        )
        for hunk in file.hunks
    ]  # fmt: skip
    return FileDiff(file.new, file.old, hunks)


def _in_sources(file: FileDiff, language: str, sources: Sequence[Path]) -> Changed | str:
    found = next((path for folder in sources for name in (file.old, file.new) if (path := _inside(folder, name))), None)
    if found is None:
        return "its file is not in the source folder"
    if found.stat().st_size > LONGEST_FILE:
        return f"its file in the source folder is longer than {LONGEST_FILE >> 20} MiB"
    try:
        lines = lines_of(found.read_bytes().decode("utf-8"))
    except UnicodeDecodeError:
        return "its file in the source folder is not UTF-8"
    if faulty := _applied(lines, file.hunks):
        return changed_function(Source("".join(lines), language), Source("".join(faulty[0]), language), faulty[1])
    if fixed := _applied(lines, _reversed(file).hunks):  # the folder holds the fixed version
        changes = [each.reversed() for each in fixed[1]]
        return changed_function(Source("".join(fixed[0]), language), Source("".join(lines), language), changes)
    return "the diff does not fit its file in the source folder"


def _inside(folder: Path, name: str) -> Path | None:
    """The file of this name in the folder; a diff's head may name anything, so it must not lead out of it."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\0" in name:
        return None
    found = folder / path
    try:
        return found if found.is_file() and found.resolve().is_relative_to(folder.resolve()) else None
    except OSError:
        return None


def _applied(lines: Sequence[str], hunks: Sequence[Hunk]) -> tuple[list[str], list[Change]] | None:
    """The lines of the file with the hunks applied, and what differs; None where the hunks do not fit it."""
    made: list[str] = []
    changes: list[Change] = []
    done = shift = 0
    for hunk in hunks:
        at = _place(lines, hunk, done, hunk.old_start + shift)
        if at is None:
            return None
        made += lines[done:at]
        changes += [each.moved(at, len(made)) for each in hunk.changes]
        made += hunk.new
        done, shift = at + len(hunk.old), at - hunk.old_start
    return [*made, *lines[done:]], changes


def _place(lines: Sequence[str], hunk: Hunk, first: int, wanted: int) -> int | None:
    """The index nearest to `wanted`, from `first` on, at which the hunk's old lines stand."""
    last = len(lines) - len(hunk.old)
    if first <= wanted <= last and lines[wanted : wanted + len(hunk.old)] == hunk.old:
        return wanted
    if not hunk.old:
        return None
    begins = (at for at in range(first, last + 1) if lines[at] == hunk.old[0])
    fits = (at for at in begins if lines[at : at + len(hunk.old)] == hunk.old)
    return min(fits, key=lambda at: abs(at - wanted), default=None)
