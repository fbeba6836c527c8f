"""The contract test of a representation, run on every registered one."""

from __future__ import annotations

from collections.abc import Iterable

from engine.domain import Bug
from engine.representations import CannotShow, Representation

HOSTILE = (
    "", " ", "\n", "\r\n", "\r", "\x00", "```python\nx\n```", "<|endoftext|>", "<|fim_middle|>x", "</s>", "\ud800",
    "\u2028", "x" * 100_000, "é\n" * 1000, "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n",
)  # fmt: skip


def check(representation: Representation, bugs: Iterable[Bug]) -> None:
    """Show every bug and read its fix back. Raises AssertionError naming the bug and the violation."""
    shown = 0
    for bug in bugs:
        for completion in HOSTILE:
            patch = representation.decode(completion, bug)
            assert patch.bug_id == bug.id, f"{bug.id}: the patch is for {patch.bug_id}"
            assert patch.text is not None or patch.reason, f"{bug.id}: no patch and no reason for {completion[:20]!r}"
        try:
            sample = representation.encode(bug)
        except CannotShow:
            continue
        shown += 1
        assert sample.bug_id == bug.id, f"{bug.id}: the sample is for {sample.bug_id}"
        assert sample == representation.encode(bug), f"{bug.id}: shown twice, two samples"
        read = representation.decode(sample.target, bug).text
        assert read == bug.fixed, f"{bug.id}: the target gives {read!r}, not the fix"
        target, prompt, buggy = (text.replace("\r\n", "\n") for text in (sample.target, sample.prompt, bug.buggy))
        is_telling = len(target.strip()) > 3 and target.strip() not in buggy
        assert not (is_telling and target.strip() in prompt), f"{bug.id}: the prompt holds the fix {target.strip()!r}"
    assert shown, f"{representation.name} showed none of the bugs"
