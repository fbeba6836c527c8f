r"""Tables for a paper: plausible@k of one run by kind of fault, or of several runs side by side.

They need `\usepackage{booktabs}` (https://ctan.org/pkg/booktabs) and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from engine.exchange.exported import Exported, Form
from engine.scoring import Share

RANKS = (1, 5, 10)  # the k of plausible@k that papers report, as far as there are so many candidates
SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip


@dataclass(frozen=True)
class TableRow:
    """One run of a comparison; `shares`: k -> bugs with a plausible patch among the first k."""

    name: str
    shares: Mapping[int, Share]


def escaped(text: str) -> str:
    """A text as LaTeX prints it; what cannot be printed becomes a question mark, a line end a space."""
    return "".join(SPECIAL.get(sign, sign if sign.isprintable() else "?") for sign in " ".join(text.split()))


def write(run: Exported, file: BinaryIO) -> None:
    """The run's plausible@k by kind of fault, the largest kind first, and in all."""
    rows = [TableRow(kind or "not known", each.plausible_at) for kind, each in run.by_kind().items()]
    total = TableRow("all", run.figures().plausible_at)
    caption = f"{run.run.model} on {run.run.benchmark}: bugs with a plausible patch among the first $k$"
    file.write(table("Kind of fault", rows, total, caption).encode("utf-8", "replace"))


def comparison(rows: Sequence[TableRow], common: int, benchmark: str) -> str:
    """A row for each run, over the `common` bugs that all of them score."""
    of = f" of {benchmark}" if benchmark else ""
    return table("Model", rows, None, f"Plausible patches on the {common} bugs{of} that all runs score")


def table(first: str, rows: Sequence[TableRow], total: TableRow | None, caption: str) -> str:
    """A whole `table`; `$` in the caption is left as it stands, so that it may name $k$."""
    every = [*rows, *([total] if total else [])]
    ks = [k for k in RANKS if all(k in row.shares for row in every)]
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{'$k$'.join(map(escaped, caption.split('$k$')))}}}",
        rf"  \begin{{tabular}}{{l{'r' * (len(ks) + 1)}}}",
        r"    \toprule",
        f"    {' & '.join([first, 'Bugs', *(f'plausible@{k}' for k in ks)])} \\\\",
        r"    \midrule",
        *(f"    {' & '.join(_cells(row, ks))} \\\\" for row in rows),
        *([r"    \midrule", f"    {' & '.join(_cells(total, ks))} \\\\"] if total else []),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "% \\usepackage{booktabs}\n" + "\n".join(lines) + "\n"


def _cells(row: TableRow, ks: Sequence[int]) -> Iterator[str]:
    yield escaped(row.name)
    yield str(max((share.total for share in row.shares.values()), default=0))
    for k in ks:
        share = row.shares.get(k, Share(0, 0))
        yield rf"{share.hits} ({100 * share.fraction:.1f}\,\%)" if share.total else "--"


LATEX = Form("latex", ".tex", "LaTeX", "a table for a paper: plausible@k by kind of fault (booktabs)", write)
