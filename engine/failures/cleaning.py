"""A log as lines that are safe to read and to show: bounded, without colours, control characters and sandbox paths."""

from __future__ import annotations

import re

HEAD_CHARS, TAIL_CHARS = 60_000, 20_000  # of a longer log the middle is left out
LINE_CHARS = 600  # of a longer line the rest is left out
LEFT_OUT = "[...]"

# ECMA-48 5.4 (control sequences) and 8.3.89 (operating system commands); each part of a pattern excludes the next one
# and the beginning of another, so matching takes linear time.
_COLOURS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]")
# Control characters, and those that change what is seen without being seen: bidirectional marks, zero width, tags.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
# The sandbox's working folder, our own temporary folders, and names that a compiler or a test library makes up.
_SANDBOX = re.compile(
    r"(?<![\w./])(?:/w/|memory:///|(?:/[\w.-]{1,60}){0,8}/repair-studio-[\w-]{1,60}/|/tmp/(?=cc\w{6}\.))"
)
_ADDRESS = re.compile(r"(?: at|@) ?0x[0-9a-fA-F]{6,16}\b")


def cleaned(log: str) -> list[str]:
    """The lines of `log`, at most HEAD_CHARS + TAIL_CHARS characters, in time linear in its length; never raises."""
    if len(log) > HEAD_CHARS + TAIL_CHARS:
        log = f"{log[:HEAD_CHARS]}\n{LEFT_OUT}\n{log[-TAIL_CHARS:]}"
    log = _COLOURS.sub("", log).replace("\r\n", "\n").replace("\r", "\n")
    log = _UNSEEN.sub("", log.replace("\f", "\n").replace("\v", "\n"))
    return [_short(line) for line in log.split("\n")]


def _short(line: str) -> str:
    line = line[:LINE_CHARS] + LEFT_OUT if len(line) > LINE_CHARS else line
    return _ADDRESS.sub("", _SANDBOX.sub("", line)).rstrip()
