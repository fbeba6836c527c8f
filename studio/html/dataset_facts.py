"""What a dataset's builder left out or warns of, as HTML: lists of rows, what windows cut, overlap, cautions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.control.views import DatasetView, RunView
from engine.listed import MOST, Listed
from engine.results import ALL_LEARNED, PARTS
from studio.clickable import pick
from studio.html.basics import esc

LOSS, OVERLAP, MISSING = "loss", "overlap", "missing"  # what can be listed
SAMPLE = "sample"  # a click on the id of one
COLUMNS = {  # of a listed row -> its heading
    "like": "like", "share": "share", "how": "how", "n_tokens": "tokens", "n_prompt": "prompt", "n_target": "target",
    "cut": "a window of this cap would cut off", "reason": "reason",
}  # fmt: skip


def listed_key(what: str, of: str = "") -> str:
    """What a click asks to be listed."""
    return f"{what}:{of}"


def listing(what: str, of: str, found: Listed, page: int, a_page: int, counted: int) -> str:
    """Some rows of a list; `counted`: how many there are, also of those that are not listed."""
    titles = {LOSS: f"Left out: {of}", OVERLAP: f"Samples with code of {of}", MISSING: "Expected ids that are missing"}
    shown = [name for name in COLUMNS if any(row.get(name) not in (None, "") for row in found.rows)]
    if what != MISSING:
        shown = [name for name in shown if name != "reason"]
    head = "".join(f"<th>{esc(COLUMNS[name])}</th>" for name in shown)
    is_kept = what == OVERLAP
    body = "".join(
        f"<tr><th>{_id(row.get('bug_id') or row.get('where') or '', is_sample=is_kept)}</th>"
        + "".join(f"<td>{_cell(name, row, is_kept=is_kept)}</td>" for name in shown)
        + "</tr>"
        for row in found.rows
    )
    table = f'<table class="plain-table rows"><thead><tr><th>row</th>{head}</tr></thead><tbody>{body}</tbody></table>'
    first = page * a_page + 1
    place = f"{first:,} to {first + len(found.rows) - 1:,} of {found.total:,}" if found.rows else "none"
    return (
        f'<div class="heading"><h3>{esc(titles.get(what, ""))} <span class="dim">{place}</span></h3>'
        f"{_unlisted(found.total, counted)}</div>"
        f'<div class="preview" tabindex="0">{table if found.rows else _nothing(counted)}</div>'
    )


def _nothing(counted: int) -> str:
    said = "No row matches." if not counted else "Its rows were not listed: it was built by an earlier version."
    return f'<p class="dim nothing">{said}</p>'


def _unlisted(total: int, counted: int) -> str:
    missing = f"{counted - total:,} more are counted; of one reason the first {MOST:,} are listed."
    return f"<p>{missing}</p>" if total >= MOST and counted > total else ""


def _id(name: str, *, is_sample: bool) -> str:
    if not is_sample:
        return f"<code>{esc(name)}</code>"
    return f'<button type="button" class="small" {pick(f"{SAMPLE}:{name}")}>{esc(name)}</button>'


def _cell(name: str, row: Mapping[str, Any], *, is_kept: bool) -> str:
    value = row.get(name)
    if value is None or value == "":
        return ""
    if name == "share" and isinstance(value, float):
        return f"{value:.0%}"
    if name == "like" and not is_kept and str(row.get("reason", "")).find("duplicate") >= 0:
        return _id(str(value), is_sample=True)
    return f"{value:,}" if isinstance(value, int) else esc(value)


def windows(dataset: DatasetView, cap: int | None) -> str:
    """How many samples fit into windows of several sizes, and what would be cut off of longer ones."""
    if not dataset.windows:
        return ""
    rows = "".join(
        f"<tr><th>{each.tokens:,}{' (cap)' if each.tokens == cap else ''}</th>"
        + "".join(f"<td>{number:,}</td>" for number in (each.kept, each.prompts, each.targets))
        + "".join(f"<td>{each.cut.get(part, 0):,}</td>" for part in PARTS)
        + "</tr>"
        for each in dataset.windows
    )
    parts = "".join(f"<th>{part}</th>" for part in PARTS)
    hint = "of longer samples, if a trainer took only their first so many tokens; this dataset leaves them out instead"
    return (
        '<h4>What fits into how many tokens</h4><div class="scroll-x" tabindex="0">'
        '<table class="plain-table windows"><thead><tr><th rowspan="2">tokens</th><th colspan="3">samples that fit</th>'
        f'<th colspan="{len(PARTS)}" title="{hint}">cut off otherwise</th></tr>'
        f"<tr><th>whole</th><th>prompt</th><th>target</th>{parts}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>"
    )


def overlap(dataset: DatasetView) -> str:
    """How many samples have code of each benchmark; a click lists them."""
    if not dataset.overlap:
        return ""
    compared = [each for each in dataset.overlap if not each.problem]
    rows = "".join(
        f'<tr><th>{_benchmark(each.benchmark, is_any=each.rows > 0)}<span class="dim"> {each.bugs:,} bugs</span></th>'
        + "".join(f"<td>{number:,}</td>" for number in (each.same, each.renamed, each.alike))
        + f"<td>{each.touched:,}</td></tr>"
        for each in compared
    )
    others = "".join(f"<li>{esc(each.benchmark)}: {esc(each.problem)}</li>" for each in dataset.overlap if each.problem)
    left = f"<details><summary>Benchmarks that were not compared</summary><ul>{others}</ul></details>" if others else ""
    hint = "at least half of the runs of 10 tokens of the benchmark's fixed function"
    return (
        '<h4>Overlap with benchmarks</h4><div class="scroll-x" tabindex="0"><table class="plain-table"><thead><tr>'
        f'<th>samples with</th><th>same code</th><th>but for names</th><th title="{hint}">shared tokens</th>'
        f"<th>bugs touched</th></tr></thead><tbody>{rows}</tbody></table></div>{left}"
    )


def _benchmark(name: str, *, is_any: bool) -> str:
    if not is_any:
        return esc(name)
    return f'<button type="button" class="small" {pick(listed_key(OVERLAP, name))}>{esc(name)}</button>'


def cautions(dataset: DatasetView, cap: int | None) -> str:
    """Sentences about what somebody should know before training on it."""
    said: list[str] = []
    window = next((each for each in dataset.windows if each.tokens == cap), None)
    if window and any(window.cut.values()):
        parts = ", ".join(
            f"the {part} of {number:,}" for part, number in window.cut.items() if number and part in PARTS
        )
        nothing = window.cut.get(ALL_LEARNED, 0)
        more = f"; {nothing:,} would teach nothing at all" if nothing else ""
        cut = f"A window of {window.tokens:,} tokens would cut off {parts or 'nothing'}{more}."
        said.append(f"{cut} These samples were left out.")
    if dataset.only_ends:
        said.append(f"Of {dataset.only_ends:,} samples only their end is learned: their fix deletes lines.")
    if dataset.split == "project" and not dataset.valid_rows and dataset.distinct.get("projects") == 1:
        said.append("All samples are of one project, so none is for evaluation; with split=random some are.")
    if dataset.split == "time" and dataset.undated:
        said.append(f"The day of {dataset.undated:,} fixes is not known; all of them are trained on.")
    if touched := sum(each.rows for each in dataset.overlap):
        said.append(f"{touched:,} samples have code of a benchmark: a model trained on them has seen its answers.")
    found = "".join(f'<p class="caution">{esc(text)}</p>' for text in said)
    return found + _expected(dataset)


def _expected(dataset: DatasetView) -> str:
    ids = dataset.expected
    if ids is None:
        return ""
    words = f"{ids.found:,} of {ids.wanted:,} expected ids are in it"
    if ids.found == ids.wanted:
        return f'<p class="dim">{words}.</p>'
    why = ", ".join(f"{number:,} {esc(reason)}" for reason, number in ids.missing.items())
    show = f'<button type="button" class="small" {pick(listed_key(MISSING))}>Show them</button>'
    return f'<p class="caution">{words}; missing: {why}. {show}</p>'


def sources(dataset: DatasetView) -> str:
    """Of a mix, how much of each dataset is in it, under which licence."""
    if not dataset.sources:
        return ""
    rows = "".join(
        f"<tr><th>{esc(each.name)}</th><td>{each.taken:,}</td><td>{each.rows:,}</td>"
        f"<td>{esc(each.licence or 'not known')}</td></tr>"
        for each in dataset.sources
    )
    head = "<tr><th>source</th><th>taken</th><th>of</th><th>licence</th></tr>"
    return f'<h4>Sources</h4><table class="plain-table"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def deletion(name: str, uses: Sequence[RunView]) -> str:
    """What deleting a dataset means for the runs that use it."""
    if not uses:
        return f"<p>Delete {esc(name)} and its files? No run uses it.</p>"
    return (
        f"<p>Delete {esc(name)} and its files? It is used by {named_runs(uses)}. "
        "They keep their results, and can no longer be resumed or repeated.</p>"
    )


def named_runs(runs: Iterable[RunView], most: int = 8) -> str:
    """The first of some runs as links, and how many more there are, as HTML."""
    links = [f'<a href="?run={each.id}">run {each.id}</a> ({esc(each.name)})' for each in runs]
    more = [f"{len(links) - most} more"] if len(links) > most else []
    return ", ".join([*links[:most], *more])
