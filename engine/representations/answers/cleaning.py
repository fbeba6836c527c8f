"""The text of an answer without what surrounds it: a model's reasoning, tokens of chat templates, wide punctuation."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.domain import lines_of

_THOUGHT = re.compile(
    r"(?P<open>^[ \t]*(?:<(?:think|thinking|thought|reasoning|reflection|analysis|scratchpad)>|◁think▷|\[THINK\]))"
    r"|(?P<close></(?:think|thinking|thought|reasoning|reflection|analysis|scratchpad)>|◁/think▷|\[/THINK\])",
    re.MULTILINE | re.IGNORECASE,
)
_FINAL = re.compile(r"<\|channel\|>\s*final\s*(?:<\|constrain\|>\w*)?<\|message\|>")  # OpenAI's harmony
_ANALYSIS = re.compile(r"<\|channel\|>\s*(?:analysis|commentary)\b")
_TOKEN = re.compile(
    r"(?P<answer><\|im_start\|>[ \t]*assistant\b|<\|start_header_id\|>[ \t]*assistant[ \t]*<\|end_header_id\|>"
    r"|<start_of_turn>[ \t]*model\b|<\|assistant\|>|<｜Assistant｜>|\[/INST\])"
    r"|(?P<other><\|im_start\|>[ \t]*\w+|<\|start_header_id\|>[ \t]*\w+[ \t]*<\|end_header_id\|>"
    r"|<start_of_turn>[ \t]*user\b|<\|(?:user|system)\|>|<｜User｜>|\[INST\])"
    r"|(?P<end>(?:<\|(?:im_end|eot_id|eom_id|endoftext|end_of_text|end|return|EOT|eot|end_of_turn)\|>|<end_of_turn>|<eos>"
    r"|<EOT>|<｜end▁of▁sentence｜>|</s>)(?=[ \t]*(?:$|[<\[])))"
    r"|(?P<begin>\A\s*(?:<s>|<bos>|<\|begin_of_text\|>|<\|startoftext\|>|<｜begin▁of▁sentence｜>))",
    re.MULTILINE,
)
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | str.maketrans(
    {**dict.fromkeys("\u00a0\u3000\u202f\u2009", " "), **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", "")}
    | {**dict.fromkeys("“”„", '"'), **dict.fromkeys("‘’", "'"), **dict.fromkeys("–—−‐", "-")}
    | {"、": ",", "。": ".", "【": "[", "】": "]", "…": "...", "≤": "<=", "≥": ">=", "≠": "!="}
)
_IS_WIDE = re.compile("[" + re.escape("".join(map(chr, _WIDE))) + "]")
_KEPT = re.compile(  # texts and comments; one that does not end goes on, so that each character is looked at once
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*+(?:"""|\Z)'
    r"|'''(?:[^'\\]|\\[\s\S]|'(?!''))*+(?:'''|\Z)"
    r"|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)|//[^\n]*|#[^\n]*"
    r'|"(?:\\.|[^"\\\n])*+(?:"|\\?(?=\n|\Z))'
    r"|'(?:\\.|[^'\\\n])*+(?:'|\\?(?=\n|\Z))"
    r"|“(?P<double>[^”\n\"]*+)(?:”|(?=[\n\"]|\Z))|‘(?P<single>[^’\n']*+)(?:’|(?=[\n']|\Z))"
)


@dataclass(frozen=True)
class Said:
    """What a model says to its reader."""

    text: str
    is_thinking: bool = False  # the answer ends before its reasoning does


def said(answer: str) -> Said:
    """The model's first turn in an answer, without its reasoning.

    Tokens of templates count at the end of a line only, where a text in code has a quote behind them.
    """
    finals = list(_FINAL.finditer(answer))
    if finals:
        answer = answer[finals[-1].end() :]
    elif found := _ANALYSIS.search(answer):
        return Said(answer[: found.start()], is_thinking=True)
    return _without_thoughts(_first_turn(answer))


def _first_turn(answer: str) -> str:
    kept: list[str] = []
    is_answer, has_begun, done = True, False, 0
    for token in _TOKEN.finditer(answer):
        if is_answer:
            kept.append(answer[done : token.start()])
            has_begun = has_begun or bool(kept[-1].strip())
        done = token.end()
        if has_begun and token.lastgroup != "begin":
            return "".join(kept)
        is_answer = token.lastgroup in ("answer", "begin") or (is_answer and token.lastgroup == "end")
    return "".join(kept) + (answer[done:] if is_answer else "")


def _without_thoughts(answer: str) -> Said:
    kept: list[str] = []
    depth = done = 0
    for tag in _THOUGHT.finditer(answer):
        if tag.lastgroup == "open":
            if not depth:
                kept.append(answer[done : tag.start()])
            depth += 1
        elif depth:
            depth -= 1
        else:
            kept.clear()  # the template wrote the tag that opens it
        done = tag.end()
    return Said("".join(kept) + ("" if depth else answer[done:]), is_thinking=depth > 0)


def narrow(code: str) -> str:
    """Code with ASCII in the place of wide punctuation, curly quotes and odd spaces, except in texts and comments."""
    if not _IS_WIDE.search(code):
        return code
    made, done = [], 0
    for kept in _KEPT.finditer(code):
        made.append(code[done : kept.start()].translate(_WIDE))
        quote = {"double": '"', "single": "'"}.get(kept.lastgroup or "")
        made.append(f"{quote}{kept[kept.lastgroup or 0]}{quote}" if quote else kept[0])
        done = kept.end()
    return "".join(made) + code[done:].translate(_WIDE)


def unnumbered(text: str) -> str:
    """Code without numbers in front of its lines."""
    lines = [line for line in lines_of(text) if line.strip()]
    if len(lines) < 2 or not all(re.match(r"[ \t]{0,6}\d{1,5}[ \t]?[|:.]", line) for line in lines[:500]):
        return text
    return "".join(re.sub(r"^[ \t]{0,6}\d{1,5}[ \t]?[|:.] ?", "", line) for line in lines_of(text))
