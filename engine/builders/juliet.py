"""Bugs from the Juliet test suite for Java: a case's `bad()` method, and a `good...()` one that repairs it.

The suite is NIST's (Juliet Test Suite v1.2 for Java, https://samate.nist.gov/SARD/test-suites). Its cases are copies of
templates, so a template is a project: a split never divides it. What gives the label away is removed from both methods.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar, Literal

from engine import params
from engine.builders import Funnel
from engine.builders.packed import files_in, is_archive
from engine.builders.pairs import ended
from engine.builders.telltale import named_as, without_telltales
from engine.builders.weaknesses import MOST_EXAMPLES, Category, Round, cwe_of
from engine.domain import Bug, Rows, span_of_change
from engine.errors import UserError
from engine.languages.source import Source
from engine.languages.trees import edit_size
from engine.params import Place, is_unicode, setting

FIELD = "builder.path"
LONGEST_FILE = 256 << 10  # bytes; cases have up to 40 KiB, and a syntax tree takes up to 340 times as much
_METHOD = re.compile(r"(bad|good(?:G2B|B2G)?\d*)(\w*)")  # which of a case's versions, and what part of it
_CASE = re.compile(r"CWE\d+_(\w+?)__(\w+?)_\d+[a-z]?")  # name of the weakness, and what is done in which way
_TEMPLATE = re.compile(r"Template File:\s*(.+?)(?:-\d+)?\.tmpl\.java")


class Juliet:
    """Pairs each `bad()` with the good method nearest to it that repairs the use, or else the source, of the value."""

    name: ClassVar[str] = "juliet"
    title: ClassVar[str] = "Juliet test suite (Java)"
    makes: ClassVar[Rows] = "bugs"

    class Params(params.Params):
        """Where the suite is, and what is told of each weakness."""

        name: Literal["juliet"] = "juliet"
        path: Place = setting(
            "", "folder, .zip or .tar.gz of the Juliet test suite for Java", upload=".zip,.tar,.gz,.tgz", title="Suite"
        )
        category: Category = setting(
            "hidden", "given: the weakness is named beside the code, as CWE-476 with its description"
        )
        examples: int = setting(
            0, "good examples of the same weakness, beside its name", ge=0, le=MOST_EXAMPLES, title="Good examples"
        )

    def __init__(self, params: Params) -> None:
        self.params = params

    def check(self) -> None:
        """Raises UserError if there is no such folder or archive."""
        path = Path(self.params.path)
        if not self.params.path:
            raise UserError("no path is named; name the folder of the Juliet test suite", field=FIELD)
        if not path.is_dir() and not (path.is_file() and is_archive(path)):
            what = "is no folder and no archive" if path.exists() else "does not exist"
            raise UserError(f"{str(path)!r} {what}; name the folder of the Juliet test suite", field=FIELD)

    def choices(self) -> Mapping[str, Sequence[str]]:
        if self.params.path:
            self.check()
        return {}

    def total(self) -> int | None:
        return None

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Bug]:
        """In the order of the files, whatever the seed."""
        self.check()
        shown = Round(self.params.category, self.params.examples)
        if shown.wants_examples:  # they come from all of the suite, so it is read twice
            shown.learn((case.group, case.bug) for case in self._cases(Funnel()))
        for case in self._cases(funnel):
            yield shown.told(case.bug, case.group, case.weakness)
        if not funnel.source:
            raise UserError(f"there is no .java file in {self.params.path!r}", field=FIELD)

    def _cases(self, funnel: Funnel) -> Iterator[_Case]:
        for path, content in files_in(Path(self.params.path), (".java",), funnel, FIELD):
            found = _case(path, content)
            if isinstance(found, str):
                funnel.lose(found, path)
            else:
                yield found


@dataclass(frozen=True)
class _Case:
    """The bug of one file."""

    bug: Bug
    group: str  # cases that differ from it in the flow of control alone
    weakness: str  # its name in the suite


def _case(path: str, content: bytes) -> _Case | str:
    """The bug of a file, or a reason to count by."""
    if len(content) > LONGEST_FILE:
        return f"longer than {LONGEST_FILE >> 10} KiB"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"
    stem = PurePosixPath(path).stem
    cwe = cwe_of(stem)
    versions = _versions(text)
    if isinstance(versions, str):
        return versions
    if not cwe or not is_unicode(path):
        return "its file is not named after a weakness"
    pairs = [(name, _differing(versions["bad"], good)) for name, good in versions.items() if name != "bad"]
    usable = [(_rank(name), edit_size(*pair), pair) for name, pair in pairs if not isinstance(pair, str)]
    if not usable:
        return next((pair for _, pair in pairs if isinstance(pair, str)), "has no good method beside bad()")
    buggy, fixed = min(usable)[2]
    named, template = _CASE.fullmatch(stem), _TEMPLATE.search(text[:2000])
    flow = template[1] if template else (named[2] if named else stem)
    bug = Bug(
        f"juliet/{stem}", "java", "Sample.java", buggy, fixed, span_of_change(buggy, fixed), kind=cwe, cwe=cwe,
        project=f"juliet/{cwe}/{flow}", is_function=True,
    )  # fmt: skip
    return _Case(bug, f"{cwe}/{named[2] if named else stem}", named[1].replace("_", " ") if named else "")


def _versions(text: str) -> dict[str, dict[str, str]] | str:
    """Each version of a case ("bad", "good1", "goodB2G") with its methods, by what part of it they are; or a reason."""
    read = Source(text, "java")
    found: dict[str, dict[str, str]] = {}
    for function in read.functions:
        named = _METHOD.fullmatch(function.name)
        if named is None or function.name == "good":  # which calls the good ones
            continue
        if function.has_error:
            return "a method has a syntax error"
        found.setdefault(named[1], {})[named[2]] = ended(without_telltales(read.bare_function(function)))
    return found if "" in found.get("bad", {}) else "has no method bad()"


def _differing(bad: Mapping[str, str], good: Mapping[str, str]) -> tuple[str, str] | str:
    """The one method that differs between two versions of a case, or a reason."""
    if bad.keys() != good.keys():
        return "the good version has other methods"
    pairs = [(bad[part], named_as(good[part], bad[part])) for part in bad if bad[part] != good[part]]
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    if not differing:
        return "bad and good are the same but for telltale names"
    return differing[0] if len(differing) == 1 else "more than one method differs"


def _rank(version: str) -> int:
    """The order of good versions: those that repair where the fault is or is seen, then those with a good source."""
    return int(version.startswith("goodG2B"))
