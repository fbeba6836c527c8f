"""What always holds of a builder; run on every registered one."""

from __future__ import annotations

from itertools import islice

from engine.builders import Builder, Funnel
from engine.domain import lines_of


def check(builder: Builder, seed: int = 0, most: int = 200) -> None:
    """Read up to `most` bugs twice. Raises AssertionError naming the bug and the broken promise."""
    funnel = Funnel()
    stream = builder.bugs(seed, funnel)
    bugs = list(islice(stream, most))
    assert bugs, f"{builder.name} makes no bug"
    assert len({bug.id for bug in bugs}) == len(bugs), f"{builder.name} repeats an id"
    for bug in bugs:
        assert bug.buggy != bug.fixed, f"{bug.id}: buggy and fixed are the same"
        lines = lines_of(bug.buggy)
        assert bug.span.end <= len(lines), f"{bug.id}: {bug.span} is outside its {len(lines)} lines"
        assert bug.fix_is_in_span, f"{bug.id}: the fix changes lines outside {bug.span}"
        is_last = bug.span.end == len(lines)
        assert is_last or not bug.fixed_lines or bug.fixed_lines.endswith("\n"), f"{bug.id}: the fix ends within a line"
        for text in (bug.id, bug.path, bug.project, bug.buggy, bug.fixed):
            # or it could be stored nowhere
            assert text.encode("utf-8", "replace").decode() == text, f"{bug.id}: {text!r} cannot be written as UTF-8"
    assert bugs == list(islice(builder.bugs(seed, Funnel()), most)), f"{builder.name}: same seed, other bugs"
    if len(bugs) < most:
        lost = sum(funnel.lost.values())
        assert funnel.source == lost + len(bugs), f"{builder.name}: {funnel.source} read, {lost} lost, {len(bugs)} made"
    total = builder.total()
    assert total is None or total >= len(bugs), f"{builder.name}: {len(bugs)} bugs of at most {total}"
