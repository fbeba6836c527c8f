"""The contract test of a representation, run on every registered one."""

from __future__ import annotations

from collections.abc import Iterable

from engine.domain import Bug, Prompt, as_text
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
        _check_prompt(sample.prompt, bug)
        prompt, buggy = (text.replace("\r\n", "\n") for text in (as_text(sample.prompt), bug.buggy))
        for fix in (sample.target.strip(), bug.fixed_lines.replace("\r\n", "\n").strip()):
            is_telling = len(fix) > 3 and fix not in buggy
            assert not (is_telling and fix in prompt), f"{bug.id}: the prompt holds the fix {fix!r}"
    assert shown, f"{representation.name} showed none of the bugs"


def _check_prompt(prompt: Prompt, bug: Bug) -> None:
    if not isinstance(prompt, str):
        roles = [message.role for message in prompt]
        assert roles[-1] == "user", f"{bug.id}: the last message is the {roles[-1]}'s, and leaves nothing to answer"
        assert "system" not in roles[1:], f"{bug.id}: a system message comes after others"
