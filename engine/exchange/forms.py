"""The one table of the formats that a run can be written in; page, shell and tests take them from here."""

from __future__ import annotations

from engine.exchange import bundle, elle_elle_aime, human_eval, latex, own, repairbench, swe_bench
from engine.exchange.exported import Form

FORMS: dict[str, Form] = {
    form.name: form
    for form in (
        own.CSV,
        own.JSONL,
        own.PARQUET,
        latex.LATEX,
        swe_bench.FORM,
        human_eval.SAMPLES,
        human_eval.SOLUTIONS,
        elle_elle_aime.FORM,
        repairbench.FORM,
        bundle.FORM,
    )
}
