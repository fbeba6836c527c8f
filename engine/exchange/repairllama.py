"""Predictions of RepairLLaMA: for each bug a numbered table of what the model wrote.

`bug_id, output: {i: {original_output, output_patch}}, buggy_code, gold_patch`, with `output_diff` in place of
`output_patch` where it sampled (https://github.com/ASSERT-KTH/repairllama, `src/lora/llama_pred.py`). `buggy_code` is
the prompt: the function itself, or with `<FILL_ME>` where the patch goes and the faulty lines as comments at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.exchange.imported import Reader
from engine.params import shown
from engine.representations.published import FILL_ME

PATCHES = ("output_patch", "output_diff")


def read(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The candidates of a bug by their numbers. Raises ValueError."""
    prompt, output = row.get("buggy_code"), row["output"]
    if not isinstance(prompt, str) or not isinstance(output, dict):
        raise ValueError(f"buggy_code should be a text and output a table, got {shown(prompt)} and {shown(output)}")
    rest = {name: value for name, value in row.items() if name not in ("output", "buggy_code", "bug_id")}
    for number, made in output.items():
        texts = [made[name] for name in PATCHES if name in made] if isinstance(made, dict) else []
        if not texts or not isinstance(texts[0], str | None) or not str(number).isdecimal():
            raise ValueError(f"output {number} should have output_patch, got {shown(made)}")
        text = texts[0]
        if text is not None and FILL_ME in prompt:
            text = prompt.replace(FILL_ME, text, 1)
        whole = {} if FILL_ME in prompt else {"buggy_code": prompt}
        yield {**rest, **whole, "bug_id": row["bug_id"], "function": text, "rank": int(number) + 1}


READER = Reader("RepairLLaMA predictions", ("bug_id", "output"), read)
