"""Samples of real functions, each with the instruction that a service writes for it.

As CodeCapypara made 20,574 of its samples: the answer is code by people, only the question is a model's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import ClassVar, Literal

from engine.builders import Funnel
from engine.builders.asking.service import FromService, Service, ServiceParams
from engine.builders.functions import common_folder, functions_of, project_of, source_files, source_root
from engine.domain import Completion, Rows, Sample
from engine.errors import UserError
from engine.generators import NoAnswer
from engine.params import Place, setting
from engine.representations import alpaca

TEMPLATE = """Below is a function in {language}. Write the instruction that a programmer would give to get exactly it.

Requirements:
1. Say what goes in, what comes out, and what happens at the edges, as the code does it.
2. Use the names of the function and of its parameters.
3. Do not describe the code line by line, and do not quote it.
4. One to four sentences, and nothing else.

{code}"""
SAID = ("instruction:", "### instruction:")  # what some models write first

Function = tuple[str, str, str]  # id, code and project


class CodeInstructions(FromService["CodeInstructions.Params"]):
    """Asks a service for the instruction to which each function of a folder is the answer."""

    name: ClassVar[str] = "code_instructions"
    title: ClassVar[str] = "Instructions written for code"
    makes: ClassVar[Rows] = "samples"

    class Params(ServiceParams):
        """The code, and who writes the instructions."""

        name: Literal["code_instructions"] = "code_instructions"  # type: ignore[assignment]
        folder: Place = setting("", "folder of source code; empty: the standard library of this Python")
        language: Literal["python", "java", "c"] = setting("python", "language of the functions")
        samples: int = setting(200, "functions wanted", ge=1, le=1_000_000)
        template: str = setting(TEMPLATE, "what the service is asked; {code} and {language} are filled in", more=True)
        min_lines: int = setting(3, "shorter functions are left out", unit="lines", ge=1, le=1000, more=True)
        max_lines: int = setting(40, "longer functions are left out", unit="lines", ge=1, le=1000, more=True)

    def check(self) -> None:
        """Raises UserError if no model is named, the folder is missing, or the template has no place for the code."""
        super().check()
        source_root(self.params.folder, self.params.language)
        if "{code}" not in self.params.template:
            raise UserError("template: has no {code}, where each function is filled in", field="builder.template")

    def total(self) -> int:
        return self.params.samples

    def stream(self, seed: int, funnel: Funnel) -> Iterator[Sample]:
        """File after file in an order that the seed decides. Raises OutsideFailure where the service fails."""
        service = Service(self.params, seed, self._cache, funnel)
        functions = islice(self._functions(seed, funnel), self.params.samples)
        while found := list(islice(functions, service.at_once)):
            answers = service.answers([self._asked(code) for _, code, _ in found])
            for (name, code, project), answer in zip(found, answers, strict=True):
                funnel.source += 1
                if isinstance(answer, NoAnswer):
                    funnel.lose(answer.reason, name)
                elif reason := _unfit(answer, code) or self.unfit(_cleaned(answer.text), code):
                    funnel.lose(reason, name)
                else:
                    segments = alpaca.segments(_cleaned(answer.text), "", code, self.params.form)
                    yield Sample(name, segments, language=self.params.language, project=project)

    def _functions(self, seed: int, funnel: Funnel) -> Iterator[Function]:
        def lose(reason: str, where: str) -> None:
            funnel.source += 1
            funnel.lose(reason, where)

        params = self.params
        root = source_root(params.folder, params.language)
        files = source_files(root, params.language)
        common = common_folder(files)
        Random(seed).shuffle(files)
        for file in files:
            path, project = file.relative_to(root).as_posix(), project_of(file, common)
            found = functions_of(file, path, params.language, params.min_lines, params.max_lines, lose)
            yield from ((f"{where}:{name}", code, project) for name, code, where in found)

    def _asked(self, code: str) -> str:
        # not str.format: a template may hold other braces
        return self.params.template.replace("{language}", self.params.language.capitalize()).replace("{code}", code)


def _unfit(answer: Completion, code: str) -> str:
    """Why an answer is no instruction; empty if it is one."""
    instruction = _cleaned(answer.text)
    if not answer.is_finished:
        return "the instruction was cut off at the token limit"
    if not instruction:
        return "the service wrote no instruction"
    return "the instruction holds the code" if code.strip() in instruction else ""


def _cleaned(answer: str) -> str:
    """The instruction in what the service wrote: without a heading or quotation marks around it."""
    text = answer.strip()
    for words in SAID:
        if text.lower().startswith(words):
            text = text[len(words) :].strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == '"' else text
