"""A question for the whole repaired function, and the fenced code block that answers it.

    Repair the function `area`. ... between the comments `# fault begins` and `# fault ends` ...
    ```python
    def area(r):
        # fault begins
        return r * r
        # fault ends
    ```

It is the message of a chat, or stands in one of Alpaca's texts, with the code as input. The target is the repaired
function as it stands in its file, in such a block. A fault outside of any function is shown with its whole file.
How an answer is read: `engine.representations.answers`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Literal

from engine import params
from engine.domain import Bug, Message, Patch, Prompt, Sample, lines_of
from engine.languages.source import indent_of
from engine.models.layouts import special_in
from engine.params import setting
from engine.representations import CannotShow, Exchange, alpaca
from engine.representations.answers import patch_of
from engine.representations.answers.place import Place, place_of
from engine.representations.line_ends import as_written, plain

CAUSE = "Answer in one to three sentences: what the root cause is, and what would have to change. Write no code.\n"


class Instruct:
    """Asks a model for the function with the faulty lines marked; reads the whole function out of its answer."""

    name: ClassVar[str] = "instruct"
    title: ClassVar[str] = "Chat or instruction: the whole function, repaired"
    special: tuple[str, ...] = ()  # texts that mean something to the model; those of messages are checked elsewhere

    class Params(params.Params):
        """What may be set."""

        name: Literal["instruct"] = "instruct"
        form: alpaca.Form = setting("chat", alpaca.FORMS)
        system: str = setting(
            "", "a system message before the question; empty: none, since some models take none", more=True
        )

    def __init__(self, params: Params) -> None:
        self.params = params

    def for_vocabulary(self, vocabulary: frozenset[str] | None) -> Instruct:
        made = Instruct(self.params)
        made.special = special_in(vocabulary or frozenset())
        return made

    def encode(self, bug: Bug, notes: Sequence[str] = ()) -> Sample:
        place, form = place_of(bug), self.params.form
        target = _fenced(as_written(place.bug.fixed_lines, bug), bug)
        where, code = _marked(bug, place)
        prompt = self._prompt(f"Repair the {place.what}. {where}\n{_wanted(place)}", code, notes, bug)
        if form != "chat":
            self._check(target)
        sample = Sample.of(bug, prompt, target if form == "chat" else alpaca.target_of(target, form))
        read = self.decode(sample.target, bug)
        if read.text != bug.fixed:
            why = f": {read.reason}" if read.reason else ""
            raise CannotShow(f"the repaired {place.what} cannot be read back{why}")
        return sample

    def converse(self, bug: Bug, notes: Sequence[str], exchanges: Sequence[Exchange]) -> Prompt:
        """As `engine.representations.Converses`; one of Alpaca's texts holds one question, so all is in that one."""
        prompt = self.encode(bug, notes).prompt
        if isinstance(prompt, str):
            return self.encode(bug, [*notes, *(note for each in exchanges for note in each.notes)]).prompt
        wanted = _wanted(place_of(bug))
        for each in exchanges:
            said = "\n\n".join([*each.notes, wanted])
            prompt = (*prompt, Message("assistant", each.answer), Message("user", said))
        return prompt

    def question(self, bug: Bug, notes: Sequence[str] = ()) -> Prompt:
        """What asks for the root cause of the fault, in a few sentences without code. Raises CannotShow."""
        place = place_of(bug)
        where, code = _marked(bug, place)
        return self._prompt(f"Explain what is wrong in the {place.what}. {where}\n{CAUSE}", code, notes, bug)

    def _prompt(self, asked: str, code: str, notes: Sequence[str], bug: Bug) -> Prompt:
        known = _known(notes)
        if self.params.form == "chat":
            system = (Message("system", self.params.system),) if self.params.system else ()
            return (*system, Message("user", f"{asked}\n{_fenced(code, bug)}{known}"))
        system_text = f"{self.params.system}\n\n" if self.params.system else ""
        prompt = system_text + alpaca.prompt_of(f"{asked.rstrip()}{known}", code.rstrip("\n"), self.params.form)
        self._check(prompt)
        return prompt

    def _check(self, text: str) -> None:
        held = next((token for token in self.special if token in text), "")
        if held:
            raise CannotShow(f"the code holds the special token {held}")

    def trim(self, completion: str, bug: Bug) -> str:
        """All of the answer: `decode` finds the function among whatever else was written."""
        return self._answer(completion)

    def decode(self, completion: str, bug: Bug) -> Patch:
        """What is most likely meant as the fix, however a chat model writes it."""
        return patch_of(self._answer(completion), bug)

    def _answer(self, completion: str) -> str:
        return completion if self.params.form == "chat" else alpaca.cut(completion)


def _marked(bug: Bug, place: Place) -> tuple[str, str]:
    """Where the fault is, and the code with its fault marked."""
    lines = [line if line.endswith("\n") else line + "\n" for line in lines_of(plain(bug.buggy))]
    before = lines[place.bug.span.start - 1 : bug.span.start - 1]
    faulty = lines[bug.span.start - 1 : bug.span.end]
    after = lines[bug.span.end : place.bug.span.end]
    indent = indent_of([*faulty, *after, *reversed(before)])
    begins, ends = place.marks
    code = "".join([*before, f"{indent}{begins}\n", *faulty, f"{indent}{ends}\n", *after])
    where = "The fault is" if "".join(faulty).strip() else "Something is missing"
    return f"{where} between the comments `{begins}` and `{ends}`.", code


def _wanted(place: Place) -> str:
    return (
        f"Answer with the whole repaired {place.what} in one fenced code block. Change nothing else in it, and leave "
        "these two comments out.\n"
    )


def _known(notes: Sequence[str]) -> str:
    known = "".join("\n- " + note.replace("\n", "\n  ") for note in notes)
    return f"\n\nWhat is known:{known}" if known else ""


def _fenced(code: str, bug: Bug) -> str:
    """`code` in a fence that is longer than any in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", code)), default=0))
    end = "" if not code or code.endswith("\n") else "\n"
    return f"{fence}{bug.language}\n{code}{end}{fence}"
