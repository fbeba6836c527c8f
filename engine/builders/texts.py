"""Samples from a table of texts: one column is read, another is learned.

As in fine-tuning on Methods2Test (Tufano et al., MSR 2022), where a test is written for a method: from `src_fm`, or
`src_fm_fc`, `src_fm_fc_co` ... with more of its class, to `target`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from engine.builders.rows import TableRow
from engine.builders.table_samples import SAMPLE_COLUMNS, SampleParams, facts_of
from engine.builders.tables import Column, FromTable
from engine.domain import Message, Prompt, Rows, Sample, segments_of
from engine.params import setting


class TextsParams(SampleParams):
    """The table, and the meaning of its columns."""

    name: Literal["texts"] = "texts"
    input: str = setting("", "column with what the model reads; empty: one with a usual name, such as input or src_fm")
    output: str = setting("", "column with what it learns to write; empty: one with a usual name, such as target")
    form: Literal["text", "chat"] = setting(
        "text", "text: the two as they stand; chat: a message and its answer, in the model's own template"
    )


class Texts(FromTable[TextsParams, Sample]):
    """Reads an input and an output from each row; the output is learned."""

    name: ClassVar[str] = "texts"
    title: ClassVar[str] = "Inputs and outputs in a table"
    makes: ClassVar[Rows] = "samples"
    Params = TextsParams
    columns: ClassVar[Mapping[str, Column]] = {
        "input": Column(
            ("input", "src_fm", "source", "prompt", "question", "src_fm_fc", "src_fm_fc_co", "src_fm_fc_ms",
             "src_fm_fc_ms_ff"), ("input", "src", "prompt", "question"),
        ),
        "output": Column(
            ("output", "target", "completion", "response", "answer", "solution"),
            ("output", "target", "answer", "response"),
        ),
        **SAMPLE_COLUMNS,
    }  # fmt: skip

    def read(self, row: TableRow) -> Sample | str:
        given, wanted = row.cells.get("input"), row.cells.get("output")
        if wrong := self.wrong(given, wanted):
            return wrong
        assert isinstance(given, str)
        assert isinstance(wanted, str)
        prompt: Prompt = (Message("user", given),) if self.params.form == "chat" else given
        return Sample(row.id, segments_of(prompt, wanted), *facts_of(row, self.params))
