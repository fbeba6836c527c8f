"""Samples from a table of instructions, each perhaps with an input, and the answers to them, in Alpaca's texts.

As in CodeAlpaca: `instruction, input, output`, where an empty input means that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from engine.builders.rows import TableRow
from engine.builders.table_samples import SAMPLE_COLUMNS, SampleParams, sample_of
from engine.builders.tables import NOT_TEXT, Column, FromTable
from engine.domain import Message, Rows, Sample
from engine.params import setting
from engine.representations import alpaca


class InstructionsParams(SampleParams):
    """The table, and the meaning of its columns."""

    name: Literal["instructions"] = "instructions"
    instruction: str = setting("", "column with what is asked; empty: one with a usual name, such as instruction")
    input: str = setting("input", "column with what goes with it; empty, or none of this name: nothing does")
    output: str = setting("", "column with the answer; empty: one with a usual name, such as output or response")
    form: Literal["response", "output", "end", "chat"] = setting(
        "response",
        "response: Alpaca's text, which ends with ### Response:; output: with ### Output:; end: the same, and the "
        "answer ends with ### End; chat: a message in the model's own template",
    )


class Instructions(FromTable[InstructionsParams, Sample]):
    """Reads an instruction, its input and the answer from each row; the answer is learned."""

    name: ClassVar[str] = "instructions"
    title: ClassVar[str] = "Instructions in a table (Alpaca)"
    makes: ClassVar[Rows] = "samples"
    Params = InstructionsParams
    columns: ClassVar[Mapping[str, Column]] = {
        "instruction": Column(("instruction", "query", "question", "problem"), ("instruct", "question", "problem")),
        "input": Column(("input", "context"), is_needed=False),
        "output": Column(("output", "response", "answer", "solution", "completion"), ("output", "answer", "response")),
        **SAMPLE_COLUMNS,
    }

    def read(self, row: TableRow) -> Sample | str:
        asked, given, answer = (row.cells.get(name) for name in ("instruction", "input", "output"))
        given = "" if given is None else given
        if not isinstance(given, str):
            return NOT_TEXT
        if wrong := self.wrong(asked, answer) or self.unfit(given):
            return wrong
        assert isinstance(asked, str)
        assert isinstance(answer, str)
        given, form = given if given.strip() else "", self.params.form
        if form == "chat":
            question = f"{asked}\n\n{given}" if given else asked
            return sample_of(row, self.params, (Message("user", question),), answer)
        prompt = alpaca.prompt_of(asked, given, form)
        return sample_of(row, self.params, prompt, alpaca.target_of(answer, form))
