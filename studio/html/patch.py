"""One patch in full as HTML: verdict, failed assertion, diff, log, and the known fix."""

from __future__ import annotations

from engine.control.patches import Detail
from studio.clickable import pick
from studio.html import code
from studio.html.basics import copy_link, duration, esc, shortened, verdict
from studio.html.diff import diff
from studio.html.patch_table import SOURCES, patch_key

MOST_LINES = 6  # of a failed assertion that are shown
ISOLATION = {
    "isolated": "isolated: the patched code ran in a sandbox without its tests",
    "shared": "shared: the patched code ran in one process with its tests",
}


def detail(patch: Detail) -> str:
    """Verdict and diff first; below them the output of the tests and the known fix."""
    source = "attempt" if patch.prompt and patch.source == "model" else SOURCES[patch.source]
    name = f"{source} {patch.rank or ''}".strip()
    diff_shown = diff(patch.buggy, patch.text, patch.path) if patch.text is not None else (
        '<p class="dim">There is no patch to show.</p>'
    )  # fmt: skip
    failure = first_failure(patch.log) if patch.outcome != "plausible" else ""
    assertion = f'<pre class="failure">{esc(failure)}</pre>' if failure else ""
    known = ""
    if patch.source == "model" and not patch.is_known_fix:
        fix = diff(patch.buggy, patch.fixed, patch.path)
        known = f'<details data-key="known" open><summary>The known fix</summary>{fix}</details>'
    return (
        f'<article class="patch"><header><div><h3>{esc(name)}</h3><span class="dim">{esc(patch.bug_id)}</span></div>'
        f"{_steps(patch)}</header><p>{verdict(patch.outcome, patch.reason)}{_same(patch)}</p>"
        f"<h4>What it changes in {esc(patch.path)}</h4>{diff_shown}{assertion}{_facts(patch)}{known}"
        f'<details data-key="log" open><summary>Test log</summary>{code.log(patch.log)}</details>'
        f'<details data-key="completion"><summary>What the model wrote</summary>{code.log(patch.completion)}</details>'
        f"{_asked(patch)}"
        f'<details data-key="buggy"><summary>The buggy file</summary>'
        f"{code.numbered(patch.buggy, patch.path, patch.start, patch.end)}</details></article>"
    )


def _asked(patch: Detail) -> str:
    """What the model was told before this attempt, and all that it read; nothing where a bug has one prompt."""
    if not patch.prompt:
        return ""
    told = code.log(patch.told) if patch.told.strip() else '<p class="dim">Nothing but the code.</p>'
    return (
        f'<details data-key="told" open><summary>What the model was told before</summary>{told}</details>'
        f'<details data-key="prompt"><summary>What the model read</summary>{code.log(patch.prompt)}</details>'
    )


def first_failure(log: str) -> str:
    """The first assertion that failed, as pytest marks it in its log; empty if it marks none."""
    shown: list[str] = []
    for line in log.splitlines():
        if line.startswith("> ") and not any(each.startswith("E ") for each in shown):
            shown = [line]
        elif line.startswith("E ") or line == "E":
            shown.append(line)
        elif any(each.startswith("E ") for each in shown):
            break
    return "\n".join(shown[:MOST_LINES]) if any(line.startswith("E ") for line in shown) else ""


def _same(patch: Detail) -> str:
    if patch.source != "model" or not (patch.is_known_fix or patch.is_known_tree):
        return ""
    words = "identical to the known fix" if patch.is_known_fix else "same syntax tree as the known fix"
    return f' <span class="verdict v-plausible">{words}</span>'


def _facts(patch: Detail) -> str:
    facts = {
        "failed tests": ", ".join(patch.failed),
        "score": f"{patch.score:.3f}" if patch.score is not None else "",
        "tests took": duration(patch.duration_s) if patch.duration_s >= 1 else f"{1000 * patch.duration_s:.0f} ms",
        "stages": ", ".join(f"{name.replace('_', ' ')} {1000 * s:.0f} ms" for name, s in patch.stages.items()),
        "tokens": _tokens(patch),
        "sandbox": patch.sandbox,
        "isolation": ISOLATION.get(patch.isolation, ""),
        "prompt": shortened(patch.prompt_tokens, patch.whole_tokens).removeprefix("prompt ")
        if patch.source == "model"
        else "",
        "same as": f"candidate {patch.same_as}" if patch.same_as else "",
        "faulty lines": _lines(patch.start, patch.end),
    }
    shown = "".join(f"<div><dt>{what}</dt><dd>{esc(value)}</dd></div>" for what, value in facts.items() if value)
    return f'<dl class="facts">{shown}</dl>'


def _lines(start: int, end: int) -> str:
    if end <= start:
        return f"{start}" if end == start else f"before {start}"
    return f"{start} to {end}"


def _tokens(patch: Detail) -> str:
    parts = ((patch.tokens_written, "written"), (patch.tokens_read, "of the prompt"))
    return ", ".join(f"{number:,} {words}" for number, words in parts if number is not None)


def _steps(patch: Detail) -> str:
    here = (patch.source, patch.rank)
    place = patch.neighbours.index(here) if here in patch.neighbours else 0
    close = f'<button type="button" class="small close" aria-label="Close" {pick("close")}>✕</button>'
    steps = _step(patch, place - 1, "Previous", "‹") + _step(patch, place + 1, "Next", "›")
    return f"<nav>{steps}{copy_link()}{close}</nav>"


def _step(patch: Detail, place: int, label: str, sign: str) -> str:
    if not 0 <= place < len(patch.neighbours):
        return f'<button type="button" class="small" aria-label="{label}" disabled>{sign}</button>'
    key = patch_key(patch.bug_id, *patch.neighbours[place])
    return f'<button type="button" class="small" aria-label="{label}" title="{label}" {pick(key)}>{sign}</button>'
