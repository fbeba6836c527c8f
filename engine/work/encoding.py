"""The prompts of a benchmark run: what the model is asked about each bug, and which bugs it cannot be asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.domain import Bug, Prompt
from engine.generators import Generator
from engine.representations import CannotShow, Representation
from engine.representations.excerpt import longest_excerpt
from engine.rundir import RunDir
from engine.work.validation import say_bug


@dataclass(frozen=True)
class Asked:
    """A prompt, and what reads the patch from its completion."""

    prompt: Prompt
    shown: Representation
    tokens: int | None = None  # of the prompt; None: the generator does not tell
    whole_tokens: int | None = None  # of the prompt that was too long; None: it was not shortened


def encode(
    bugs: list[Bug],
    aside: Mapping[str, str],
    representation: Representation,
    generator: Generator,
    run: RunDir,
    *,
    shorten: bool,
) -> tuple[dict[str, Asked], dict[str, str]]:
    """Emit every bug; returns (prompts of the bugs to repair, reasons why the others are skipped), by bug id.

    `aside`: the reasons of those that the benchmark itself sets aside. With `shorten`, a prompt that does not fit is
    made from an excerpt of the file.
    """
    asked: dict[str, Asked] = {}
    skipped = dict(aside)
    for bug in bugs:
        if bug.id not in skipped:
            try:
                asked[bug.id] = Asked(representation.encode(bug).prompt, representation)
            except CannotShow as reason:
                skipped[bug.id] = f"cannot be encoded: {reason}"
    counted, room = generator.count([each.prompt for each in asked.values()]), generator.room()
    lengths = dict(zip(asked, counted, strict=True)) if counted is not None else {}
    for bug in bugs:
        length = lengths.get(bug.id)
        if length is not None:
            whole = asked[bug.id] = replace(asked[bug.id], tokens=length)
            if room is not None and length > room:
                short = _shortened(bug, whole, generator, room) if shorten else None
                if short is None:
                    skipped[bug.id] = f"too_long: {length} tokens"
                    del asked[bug.id]
                else:
                    asked[bug.id] = short
        shown = asked.get(bug.id)
        whole_tokens = shown.whole_tokens if shown else None
        say_bug(run, bug, skipped.get(bug.id, ""), shown.tokens if shown else length, whole_tokens)
    return asked, {bug.id: skipped[bug.id] for bug in bugs if bug.id in skipped}


def _shortened(bug: Bug, whole: Asked, generator: Generator, room: int) -> Asked | None:
    """From an excerpt that fits; None where there is none."""

    def tokens(prompt: Prompt) -> int:
        counted = generator.count([prompt])
        assert counted is not None, "it told the length of the whole prompt"
        return counted[0]

    excerpt = longest_excerpt(bug, whole.shown, tokens, room)
    if excerpt is None:
        return None
    prompt = excerpt.encode(bug).prompt
    return Asked(prompt, excerpt, tokens(prompt), whole.tokens)
