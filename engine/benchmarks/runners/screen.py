"""What a patch adds that looks into the process that tests it; it matters only where tests and patch share one.

A list of what is allowed: what the buggy code does not use, a patch may use only if it is plain computing. No proof of
anything, and a patch that is stopped here may be honest, so its verdict says what was found.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.benchmarks.runners import screen_java, screen_python

NOTHING: Mapping[str, str] = {}


def introspection(language: str, text: str, before: str, more: Mapping[str, str] = NOTHING) -> str:
    """What in `text` and not in `before` reaches beyond the program, in a few words; empty where nothing does.

    `more`: Python modules that may be used besides, and their names, separated by blanks; none for all.
    """
    if language == "java":
        added = {*screen_java.found_in(text)} - {*screen_java.found_in(before)}
    else:
        added = {*screen_python.found_in(text, more)} - {*screen_python.found_in(before, more)}
    return ", ".join(sorted(added))[:200]
