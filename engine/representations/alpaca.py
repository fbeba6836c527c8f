r"""The texts of instruction data without a chat template: Stanford Alpaca's, and two others of its form.

`response`: https://github.com/tatsu-lab/stanford_alpaca and CodeAlpaca, the answer right behind `### Response:`.
`output`: `### Output:` in its place, the answer on the next line. `end`: the same, and below the answer `### End`.
"""

from __future__ import annotations

import re
from typing import Literal

Ending = Literal["response", "output", "end"]

_HEADS: dict[Ending, str] = {"response": "### Response:", "output": "### Output:", "end": "### Output:"}
_SECTION = re.compile(r"^### (?:Instruction:|Input:|Response:|Output:|End\b)", re.MULTILINE)


def prompt_of(instruction: str, given: str, ending: Ending) -> str:
    """What a model reads; `given` is the input that goes with the instruction, empty where there is none."""
    paired = ", paired with an input that provides further context" if given else ""
    shown = f"### Input:\n{given}\n\n" if given else ""
    return (
        f"Below is an instruction that describes a task{paired}. Write a response that appropriately completes the "
        f"request.\n\n### Instruction:\n{instruction}\n\n{shown}{_HEADS[ending]}"
    )


def target_of(answer: str, ending: Ending) -> str:
    """What a model should write after the prompt, without the end of the text."""
    if ending == "response":
        return answer
    return f"\n{answer}\n\n### End" if ending == "end" else f"\n{answer}"


def cut(written: str) -> str:
    """The answer in what a model wrote: all before the next section, which some models begin by themselves."""
    found = _SECTION.search(written)
    return written[: found.start()] if found else written
