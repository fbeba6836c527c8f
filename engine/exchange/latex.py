r"""Tables for a paper: plausible@k of one run by kind of fault, or of several runs side by side.

They need `\usepackage{booktabs}` (https://ctan.org/pkg/booktabs) and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from engine.attempts import strategy_of
from engine.exchange.exported import Exported, Form
from engine.scoring import Figures, Share

RANKS = (1, 5, 10)  # the k of plausible@k that papers report, as far as there are so many candidates; and the largest
ATTEMPTS = "; $k$ counts attempts, each after the verdict on the one before"
MATCHES = "; exact and tree: that is plausible and the known fix, by its text or by its syntax tree"
SPECIAL = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip


@dataclass(frozen=True)
class TableRow:
    """One run of a comparison, or one kind of fault; k -> bugs with such a patch among the first k."""

    name: str
    shares: Mapping[int, Share]  # a plausible one
    exact_at: Mapping[int, Share] = field(default_factory=dict)  # that is the known fix, by its text; empty: not known
    tree_at: Mapping[int, Share] = field(default_factory=dict)  # the same by its syntax tree
    attempts: str = ""  # the strategy, where the candidates are attempts that depend on each other


def escaped(text: str) -> str:
    """A text as LaTeX prints it; what cannot be printed becomes a question mark, a line end a space."""
    return "".join(SPECIAL.get(sign, sign if sign.isprintable() else "?") for sign in " ".join(text.split()))


def write(run: Exported, file: BinaryIO) -> None:
    """The run's plausible@k by kind of fault, the largest kind first, and in all; with matches as far as known."""
    matched = run.matched()

    def row(name: str, kind: str | None, figures: Figures) -> TableRow:
        matches = matched[kind]
        return TableRow(name, figures.plausible_at, matches.exact_at, matches.tree_at, strategy_of(run.run.spec))

    rows = [row(kind or "not known", kind, each) for kind, each in run.by_kind().items()]
    total = row("all", None, run.figures())
    caption = f"{run.run.model} on {run.run.benchmark}: bugs with a plausible patch among the first $k$"
    file.write(table("Kind of fault", rows, total, caption).encode("utf-8", "replace"))


def comparison(rows: Sequence[TableRow], common: int, benchmark: str) -> str:
    """A row for each run, over the `common` bugs that all of them score."""
    of = f" of {benchmark}" if benchmark else ""
    return table("Model", rows, None, f"Plausible patches on the {common} bugs{of} that all runs score")


def table(first: str, rows: Sequence[TableRow], total: TableRow | None, caption: str) -> str:
    """A whole `table`; `$k$` in the caption is left as it stands. Matches with the known fix are at the last k only."""
    every = [*rows, *([total] if total else [])]
    common = set.intersection(*(set(row.shares) for row in every)) if every else set()
    ks = sorted(k for k in common if k in (*RANKS, max(common)))
    columns = [(f"plausible@{k}", [row.shares.get(k) for row in every]) for k in ks]
    for k in ks[-1:]:
        columns += [(f"exact@{k}", [row.exact_at.get(k) for row in every])]
        columns += [(f"tree@{k}", [row.tree_at.get(k) for row in every])]
    columns = [(name, shares) for name, shares in columns if any(shares)]
    if len(columns) > len(ks):
        caption += MATCHES
    if named := sorted({row.attempts for row in every if row.attempts}):
        caption += f"{ATTEMPTS} ({', '.join(named)})"
    written = [
        " & ".join([escaped(row.name), _bugs(row), *(_cell(shares[at]) for _, shares in columns)])
        for at, row in enumerate(every)
    ]
    made = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escaped(caption).replace(escaped('$k$'), '$k$')}}}",
        rf"  \begin{{tabular}}{{l{'r' * (len(columns) + 1)}}}",
        r"    \toprule",
        f"    {' & '.join([first, 'Bugs', *(name for name, _ in columns)])} \\\\",
        r"    \midrule",
        *(f"    {row} \\\\" for row in written[: len(rows)]),
        *([r"    \midrule", f"    {written[-1]} \\\\"] if total else []),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "% \\usepackage{booktabs}\n" + "\n".join(made) + "\n"


def _bugs(row: TableRow) -> str:
    return str(max((share.total for share in row.shares.values()), default=0))


def _cell(share: Share | None) -> str:
    return rf"{share.hits} ({100 * share.fraction:.1f}\,\%)" if share and share.total else "--"


LATEX = Form(
    "latex", ".tex", "LaTeX", "a table for a paper: plausible@k and matches by kind of fault (booktabs)", write
)
