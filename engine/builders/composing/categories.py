"""Categories of the lines of a file, by what they name: those of Long Code Arena (arXiv 2406.11612, section 3.3).

A line that names a function or class of another file of the repository is `inproject`, one of the file itself `infile`,
one whose name many programs define `common`; comments, imports, prints and lines of a few signs are `non_informative`,
all others `random`. `commited` (sic), for names from the files of the same commit, is only known to rows that state it,
and `other` is S3's. A line has the first category that fits. The paper's own program is not published; names are found
here by how a line that defines one begins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from engine.builders.composing import File
from engine.builders.source_files import language_of
from engine.domain import lines_of
from engine.languages import LANGUAGES
from engine.languages.source import Source

CATEGORIES = ("commited", "inproject", "infile", "common", "non_informative", "random", "other")
MOST_FILES = 2000  # of a repository, whose names are known
_MOST_NAMES = 200_000
_FEWEST_SIGNS = 5  # of a line that says something
_DEFINES = {
    "python": re.compile(r"^[ \t]*(?:async[ \t]+def|def|class)[ \t]+(\w+)", re.MULTILINE),
    "java": re.compile(
        r"\b(?:class|interface|enum|record)[ \t]+(\w+)"
        r"|^[ \t]+(?:[\w<>\[\],.]+[ \t]+){1,6}(\w+)[ \t]*\([^;{}()]{0,400}\)[^;{}()\n]{0,200}\{",
        re.MULTILINE,
    ),
    "c": re.compile(r"^(?:\w+[ \t*]+){1,6}(\w+)[ \t]*\([^;{}()]{0,400}\)\s{0,20}\{", re.MULTILINE),
}
_WORDS = (
    "main get set run init name value key keys values items add remove update create delete load save read write "
    "open close start stop test setup setUp tearDown teardown append pop push size length copy next close call process "
    "execute parse build make equals hashCode toString compareTo format print log data result index id type"
)
_COMMON = frozenset(_WORDS.split())
_NAME = re.compile(r"[^\W\d]\w*")
_STRING = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
_PRINTS = re.compile(r"(print|println|printf|logger\.\w+|logging\.\w+|log\.\w+|System\.out\.\w+)\s*\(")

Elsewhere = Callable[[str], bool]  # whether another file of the repository defines a function or class of this name


def names_of(path: str, text: str) -> set[str]:
    """The functions and classes that a file defines."""
    defines = _DEFINES.get(language_of(path))
    return {name for match in defines.finditer(text) for name in match.groups() if name} if defines else set()


class Names:
    """The functions and classes of a repository, and which file defines each; those of MOST_FILES of its files."""

    def __init__(self, files: Iterable[File]) -> None:
        self._of: dict[str, str] = {}  # name -> the only file that defines it, or nothing where several do
        for file in files:
            for name in names_of(file.path, file.text() or ""):
                if name in self._of or len(self._of) < _MOST_NAMES:
                    self._of[name] = file.path if self._of.get(name, file.path) == file.path else ""

    def elsewhere(self, path: str) -> Elsewhere:
        """For the lines of one file."""
        return lambda name: self._of.get(name, path) != path


def categorised(path: str, text: str, elsewhere: Elsewhere) -> dict[str, list[int]]:
    """Category -> lines, from 0; blank lines are in none, and of a file of no known language all are `random`."""
    own = names_of(path, text)
    known = LANGUAGES.get(language_of(path))
    found: dict[str, list[int]] = {}
    lines = lines_of(text)
    bare = Source(text, known.name).bare_lines if known else lines  # without comments and docstrings
    for number, (line, code) in enumerate(zip(lines, bare, strict=True)):
        if not line.strip():
            continue
        plain = (code or "").strip()
        names = _NAME.findall(_STRING.sub("", plain[:1000]))
        if known is None:
            kind = "random"
        elif known.no_code.match(plain) or _PRINTS.match(plain) or len(re.sub(r"\s", "", plain)) < _FEWEST_SIGNS:
            kind = "non_informative"
        elif any(name not in _COMMON and elsewhere(name) for name in names):
            kind = "inproject"
        elif any(name not in _COMMON and name in own for name in names):
            kind = "infile"
        else:
            is_common = any(name in _COMMON and (name in own or elsewhere(name)) for name in names)
            kind = "common" if is_common else "random"
        found.setdefault(kind, []).append(number)
    return found
