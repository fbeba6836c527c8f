"""The contract test of a builder, run on every registered one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import cast

from engine.builders import Builder, BuilderOutput, Funnel, Previewed
from engine.domain import Bug, Preference, Sample, as_text, lines_of
from engine.plugins import Plugin

TYPES: dict[str, type[BuilderOutput]] = {"bugs": Bug, "samples": Sample, "preferences": Preference, "answers": Sample}


def check(builder: Builder, seed: int = 0, most: int = 200) -> None:
    """Read up to `most` bugs, samples or preferences twice. Raises AssertionError if the contract is violated."""
    assert builder.makes in TYPES, f"{builder.name} makes {builder.makes!r}, and not one of {', '.join(TYPES)}"
    funnel = Funnel()
    made = list(islice(builder.stream(seed, funnel), most))
    assert made, f"{builder.name} makes nothing"
    for each in made:
        wanted = TYPES[builder.makes]
        assert isinstance(each, wanted), (
            f"{builder.name} says it makes {builder.makes} and makes a {type(each).__name__}"
        )
        _check_bug(each) if isinstance(each, Bug) else _check_row(each)
    ids = {each.id if isinstance(each, Bug) else each.bug_id for each in made}
    assert builder.makes != "bugs" or len(ids) == len(made), f"{builder.name} repeats an id"
    assert made == list(islice(builder.stream(seed, Funnel()), most)), (
        f"{builder.name}: same seed, other {builder.makes}"
    )
    if len(made) < most:
        lost = sum(funnel.lost.values())
        assert funnel.source == lost + len(made), f"{builder.name}: {funnel.source} read, {lost} lost, {len(made)} made"
    if isinstance(builder, Previewed):
        _check_preview(builder)
    total = builder.total()
    assert total is None or total >= len(made), f"{builder.name}: {len(made)} of at most {total}"
    settings = cast("Plugin[Builder]", type(builder)).Params.model_fields
    for setting, choices in builder.choices().items():
        assert setting in settings, f"{builder.name} offers choices for {setting!r}, which is none of its settings"
        assert all(isinstance(choice, str) for choice in choices), (
            f"{builder.name}: a choice for {setting!r} is not text"
        )


def _check_preview(builder: Builder) -> None:
    assert isinstance(builder, Previewed)
    assert builder.fits() in (True, False), f"{builder.name} does not say whether its source fits"
    shown = builder.preview(3)
    if shown is None:
        return
    settings = cast("Plugin[Builder]", type(builder)).Params.model_fields
    assert len(shown.rows) <= 3, f"{builder.name}: a preview of {len(shown.rows)} rows, and not of 3"
    assert len(shown.made) in (0, len(shown.rows)), f"{builder.name}: its preview says of some rows what they become"
    assert set(shown.roles.values()) <= set(settings), f"{builder.name}: a role in its preview is none of its settings"
    assert all(set(row) == set(shown.columns) for row in shown.rows), f"{builder.name}: a row with other columns"
    for made in shown.made:
        assert isinstance(made, str) or made, f"{builder.name}: a row becomes something without parts"


def _check_bug(bug: Bug) -> None:
    assert bug.buggy != bug.fixed, f"{bug.id}: buggy and fixed are the same"
    lines = lines_of(bug.buggy)
    assert bug.span.end <= len(lines), f"{bug.id}: {bug.span} is outside its {len(lines)} lines"
    assert bug.fix_is_in_span, f"{bug.id}: the fix changes lines outside {bug.span}"
    is_last = bug.span.end == len(lines)
    assert is_last or not bug.fixed_lines or bug.fixed_lines.endswith("\n"), f"{bug.id}: the fix ends within a line"
    _check_texts(bug.id, (bug.id, bug.path, bug.project, bug.buggy, bug.fixed))


def _check_row(each: Sample | Preference) -> None:
    if isinstance(each, Preference):
        assert each.chosen != each.rejected, f"{each.bug_id}: the better and the worse answer are the same"
        texts: Sequence[str] = (as_text(each.prompt), each.chosen, each.rejected)
    else:
        assert any(segment.is_learned for segment in each.segments), f"{each.bug_id}: nothing of it is learned"
        texts = [segment.text for segment in each.segments]
    _check_texts(each.bug_id, (each.bug_id, each.project, *texts))


def _check_texts(name: str, texts: Sequence[str]) -> None:
    """Text that cannot be written as UTF-8 cannot be stored."""
    for text in texts:
        assert text.encode("utf-8", "replace").decode() == text, f"{name}: {text!r} cannot be written as UTF-8"
