"""Bugs made of the public data beside this repository, as functions; none where the data is not there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from engine.domain import Bug, lines_of, span_of_change
from engine.languages.source import Source

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def bug_of(name: str, language: str, buggy: str, fixed: str) -> Iterator[Bug]:
    """One bug, or none where both texts are the same."""
    if buggy != fixed:
        yield Bug(name, language, name, buggy, fixed, span_of_change(buggy, fixed), is_function=True)


def quixbugs() -> Iterator[Bug]:
    """Whole programs, which differ in comments as well as in the fault."""
    folder = SHARED / "quixbugs"
    for name, language in (("python_programs/*.py", "python"), ("java_programs/*.java", "java")):
        for path in sorted(folder.glob(name)):
            fixed = folder / f"correct_{path.parent.name}" / path.name
            if fixed.exists():
                yield from bug_of(f"{language}/{path.stem}", language, _text(path), _text(fixed))


def sven() -> Iterator[Bug]:
    """Functions in Python and C, whose comments are those of Java."""
    for path in sorted((SHARED / "sven").glob("data_train_val/*/*.jsonl")):
        for number, line in enumerate(lines_of(_text(path))):
            row = json.loads(line)
            language = "python" if row["file_name"].endswith(".py") else "java"
            name = f"{path.parent.name}/{path.stem}/{number}"
            yield from bug_of(name, language, row["func_src_before"], row["func_src_after"])


def defects4j() -> Iterator[Bug]:
    """The lines of each hunk: a patch holds no whole function. It goes from the fixed to the faulty code."""
    for path in sorted((SHARED / "defects4j").glob("framework/projects/*/patches/*.src.patch")):
        text = path.read_bytes().decode("utf-8", "surrogateescape").encode("utf-8", "replace").decode()
        for number, hunk in enumerate(re.split(r"^@@.*\n", text, flags=re.MULTILINE)[1:]):
            lines = [line for line in lines_of(hunk) if line[0] in " +-" and not line.startswith(("--- ", "+++ "))]
            buggy, fixed = ("".join(line[1:] for line in lines if line[0] != sign) for sign in "-+")
            yield from bug_of(f"{path.parents[1].name}-{path.name.split('.')[0]}/{number}", "java", buggy, fixed)


def juliet() -> Iterator[Bug]:
    """`bad()` against the first of the good methods of the same class."""
    for path in sorted((SHARED / "juliet-java").glob("src/testcases/**/*.java")):
        text = _text(path)
        found = {each.name: each.span for each in Source(text, "java").functions}
        good = next((found[name] for name in ("goodG2B", "good1", "goodG2B1") if name in found), None)
        if "bad" in found and good:
            lines = lines_of(text)
            bad, good_text = ("".join(lines[span.start - 1 : span.end]) for span in (found["bad"], good))
            yield from bug_of(path.stem, "java", bad, good_text)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")
