r"""The texts of instruction data without a chat template: Stanford Alpaca's, and two others of its form.

`response`: https://github.com/tatsu-lab/stanford_alpaca and CodeAlpaca, the answer right behind `### Response:`.
`output`: `### Output:` in its place, the answer on the next line. `end`: the same, and below the answer `### End`.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from engine.domain import Message, Segment, segments_of

Ending = Literal["response", "output", "end"]
Form = Literal["response", "output", "end", "chat"]
FORMS = (  # as settings explain them
    "response: Alpaca's text, which ends with ### Response:; output: with ### Output:; end: the same, and the answer "
    "ends with ### End; chat: a message in the model's own template"
)

_HEADS: dict[Ending, str] = {"response": "### Response:", "output": "### Output:", "end": "### Output:"}
_PROMPT = re.compile(
    r"Below is .*?request\.\n\n### Instruction:\n(.*?)(?:\n\n### Input:\n(.*))?\n\n### (?:Response|Output):", re.DOTALL
)
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


def segments(instruction: str, given: str, answer: str, form: Form) -> tuple[Segment, ...]:
    """What is read and what is learned, as text or as messages."""
    if form == "chat":
        asked = f"{instruction}\n\n{given}" if given else instruction
        return segments_of((Message("user", asked),), answer)
    return segments_of(prompt_of(instruction, given, form), target_of(answer, form))


def parts_of(prompt: str, target: str) -> tuple[str, str, str] | None:
    """The instruction, the input and the answer of which these texts were made; None where they are others."""
    found = _PROMPT.fullmatch(prompt)
    if found is None:
        return None
    instruction, given = found[1], found[2] or ""
    for ending in reversed(get_args(Ending)):  # `end` before `output`, whose answer may be any
        answer = target
        if ending != "response":
            answer = target.removeprefix("\n").removesuffix("\n\n### End" if ending == "end" else "")
        if (prompt_of(instruction, given, ending), target_of(answer, ending)) == (prompt, target):
            return instruction, given, answer
    return None


def cut(written: str) -> str:
    """The answer in what a model wrote: all before the next section, which some models begin by themselves."""
    found = _SECTION.search(written)
    return written[: found.start()] if found else written
