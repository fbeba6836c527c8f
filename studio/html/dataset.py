"""A dataset as HTML: what was left out of it and why, the first rows of a file, and single samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from engine.builders.previews import Part, Preview, nothing_of
from engine.control.datasets import ShownSample
from engine.control.views import DatasetView
from engine.dataset_card import SHARES
from engine.exchange.datasets import DATASET_FORMS
from engine.languages import LANGUAGES
from engine.listed import OTHERS
from engine.results import Loss
from studio.addresses import link
from studio.clickable import pick
from studio.html import code
from studio.html.basics import complaint, copy_link, empty, esc, share_bars, tiles, when
from studio.html.dataset_facts import LOSS, cautions, listed_key, sources, windows
from studio.html.diff import diff

MOST_SHOWN, MOST_PARTS = 400, 8  # characters of a cell or a part, and parts of a row, in a preview


def funnel(source: int, losses: Sequence[Loss], kept: int) -> str:
    """How many bugs were read, how many were left out for each reason with an example, how many samples were made."""
    most = max(source, kept, 1)

    def row(name: str, number: int, kind: str, example: str = "") -> str:
        first = f"<small>first: {esc(example)}</small>" if example else ""
        shape = f'<i style="width:{100 * number / most:.2f}%"></i>'
        text = f"<span>{esc(name)}{first}</span><b>{number:,}</b>"
        if kind == "lost" and name != OTHERS:  # each row is listed with its own reason
            text = f'<button type="button" title="Show these rows" {pick(listed_key(LOSS, name))}>{text}</button>'
        return f'<li class="{kind}">{shape}{text}</li>'

    lost = "".join(row(loss.reason, loss.count, "lost", loss.example) for loss in losses)
    return f'<ol class="funnel">{row("read", source, "in")}{lost}{row("samples", kept, "out")}</ol>'


def report(dataset: DatasetView, cap: int | None) -> list[str]:
    """The figures of a dataset and its cautions, what was left out of it, what windows hold, and where it is from."""
    figures = tiles(
        [
            (f"{dataset.train_rows:,}", "training samples", "the model learns from these"),
            (f"{dataset.valid_rows:,}", "evaluation samples", "only used to measure the evaluation loss"),
            (f"{dataset.learned_tokens:,}", "learned tokens", "tokens that count in the loss"),
            (dataset.hash[:10], "content hash", "the same hash means the same samples"),
        ]
    )
    lost = f"<h4>From source to samples</h4>{funnel(dataset.source, dataset.losses, dataset.rows)}"
    tables = [(title, table) for title, table in dataset.counts.items() if table]
    counted = "".join(f"<section><h4>{esc(title)}</h4>{share_bars(table)}</section>" for title, table in tables)
    run = f'<a href="?run={dataset.run_id}">run {dataset.run_id}</a>'
    licence = f" Licence: {esc(dataset.licence)}." if dataset.licence else ""
    same = [f"{title.lower()}: {esc(name)}" for title, name in _the_only(dataset)]
    alike = f'<p class="dim">All samples have the same {", ".join(same)}.</p>' if same else ""
    built = f'{alike}<p class="dim">Built {when(dataset.created_at)} by {run}.{licence}</p>'
    return [figures + cautions(dataset, cap), lost, windows(dataset, cap), counted + sources(dataset) + built]


def _the_only(dataset: DatasetView) -> list[tuple[str, str]]:
    """(what, value) of all that every sample has alike."""
    only = [(title, dataset.shares.get(name, {}), dataset.unnamed.get(name)) for name, title in SHARES.items()]
    return [(title, next(iter(counts))) for title, counts, unnamed in only if len(counts) == 1 and not unnamed]


def actions(dataset: DatasetView) -> str:
    """What can be done with a dataset."""
    trained, again = link(tab="train", use=f"dataset:{dataset.name}"), link(tab="datasets", again=dataset.run_id)
    return (
        f'<div class="after exports"><a class="button primary" href="{esc(trained)}">Train on this</a>'
        f'<a class="button" href="{esc(again)}">Build again with changes</a>{copy_link()}{_export_menu(dataset)}</div>'
    )


def _export_menu(dataset: DatasetView) -> str:
    """A button that opens a list of links, each to the dataset as a file in one format."""
    name = quote(dataset.name, safe="")
    links = "".join(
        f'<a href="studio/dataset/{esc(form.name)}/{esc(name)}" download><b>{esc(form.title)}</b>'
        f"<span>{esc(form.what)}</span></a>"
        for form in DATASET_FORMS.values()
        if form.holds is None or form.holds == (dataset.holds or "samples")
    )
    summary = '<summary class="button">Export</summary>'
    return f'<details class="menu down" data-key="export">{summary}<div>{links}</div></details>'


def preview(found: Preview, roles: Mapping[str, str], marked: str) -> str:
    """The first rows of a file, each column with what it is used for, and what is wrong with rows that it has.

    `marked`: the class of the field that names the file.
    """
    if found.note:
        return f'<p class="dim">{esc(found.note)}</p>'
    columns = sorted(found.columns, key=lambda name: name not in roles)
    return _rows(found.rows, columns, roles) + _made(found.made) + _wrong_rows(found, marked)


def _made(made: Sequence[Sequence[Part] | str]) -> str:
    """What the first rows become, part by part."""
    shown = "".join(f"<li>{_parts(each)}</li>" for each in made)
    return f'<h4>What becomes of them</h4><ol class="made" tabindex="0">{shown}</ol>' if shown else ""


def _parts(parts: Sequence[Part] | str) -> str:
    if isinstance(parts, str):
        return f'<p class="left-out">left out: {esc(parts)}</p>'
    more = f'<p class="dim">and {len(parts) - MOST_PARTS} more</p>' if len(parts) > MOST_PARTS else ""
    return "".join(map(_part, parts[:MOST_PARTS])) + more


def _part(part: Part) -> str:
    kind = "learned" if part.is_learned else "read"
    cut = "..." if len(part.text) > MOST_SHOWN else ""
    text = f"<code>{esc(part.text[:MOST_SHOWN])}{cut}</code>" if part.text else '<code class="dim">(empty)</code>'
    return f'<div class="{kind}"><b>{esc(part.role)}</b>{text}</div>'


def _wrong_rows(found: Preview, marked: str) -> str:
    """Rows that will be left out, and why nothing behind them can be read."""
    if found.trouble:
        return complaint(f"{found.trouble}.", [marked])
    if not found.funnel.source:
        return complaint("The file names its columns and has no row.", [marked])
    if found.made and not found.n_made:
        return complaint(f"{nothing_of(found)}.", [marked])
    first = found.funnel.examples
    lost = "; ".join(f"{number} {reason} (first: {first[reason]})" for reason, number in found.funnel.lost.items())
    said = f"Of the first {found.funnel.source} rows these will be left out: {lost}. Mend them to keep them."
    return f'<p class="caution">{esc(said)}</p>' if lost else ""


def _rows(rows: Sequence[Mapping[str, str]], columns: Sequence[str], roles: Mapping[str, str]) -> str:
    if not rows:
        return ""
    head = "".join(
        f'<th class="{"used" if name in roles else ""}">{esc(name)}<span>{esc(roles.get(name, "not used"))}</span></th>'
        for name in columns
    )
    body = "".join(
        "<tr>" + "".join(f"<td><code>{esc(row[name][:MOST_SHOWN])}</code></td>" for name in columns) + "</tr>"
        for row in rows
    )
    title = f"The first {len(rows)} rows" if len(rows) > 1 else "The first row"
    return (
        f'<h4>{title}</h4><div class="preview" tabindex="0"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def sample(shown: ShownSample | None) -> str:
    """One sample: where it is from, the fix as a diff, prompt and target, tokens by loss mask.

    Of a preference the diff leads from the worse to the better answer.
    """
    if shown is None:
        return empty("No sample matches", "Clear the search to see all samples.")
    facts = " · ".join(filter(None, [shown.kind.replace("_", " "), f"{shown.n_tokens} tokens"]))
    ending = LANGUAGES[shown.language].ending if shown.language in LANGUAGES else ".py"
    name = f"{shown.bug_id}{ending}"
    tokens = ("Tokens as the model reads them", code.tokens(shown.pieces))
    title = "Wrong answer" if shown.is_wrong else "Target"
    prompt, target = ("Prompt", code.log(shown.prompt)), (title, code.log(shown.target))
    if shown.rejected:
        better, worse = ("Better answer", code.log(shown.target)), ("Worse answer", code.log(shown.rejected))
        parts = [
            ("From the worse to the better", diff(shown.rejected, shown.target, name)),
            tokens,
            better,
            worse,
            prompt,
        ]
    elif shown.buggy or shown.fixed:
        parts = [("The fix", diff(shown.buggy, shown.fixed, name)), tokens, prompt, target]
    else:
        parts = [prompt, target, tokens]
    sections = "".join(f"<section><h4>{title}</h4>{drawn}</section>" for title, drawn in parts)
    return (
        f'<div class="sample"><p><b>{esc(shown.bug_id)}</b> <span class="dim">{esc(facts)}</span></p>'
        f'<div class="two">{sections}</div></div>'
    )
