"""The specs of a sweep: one for each combination of some settings' values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product

from engine.errors import UserError
from engine.params import shown
from engine.spec_files import changed
from engine.specs import Spec

MOST = 200  # runs


def specs_of(base: Spec, over: Sequence[str], *, in_step: bool = False) -> list[Spec]:
    """The specs of a sweep: `base` with each combination of values in `over`, each as "field.path=value,value".

    Every combination of the values is one run; with `in_step` the first values of all fields are the first run, and so
    on. A value that contains a comma is written in a JSON list. A name gets a number for each run.
    Raises UserError on a wrong value, and for more than 200 runs.
    """
    fields = dict(_values(each) for each in over)
    if not fields:
        raise UserError("a sweep needs values to try, as in trainer.learning_rate=1e-4,2e-4")
    lengths = {len(values) for values in fields.values()}
    if in_step and len(lengths) > 1:
        counts = ", ".join(f"{path} has {len(values)}" for path, values in fields.items())
        raise UserError(f"in step, all settings need the same number of values; {counts}")
    rows = list(zip(*fields.values(), strict=True)) if in_step else list(product(*fields.values()))
    if len(rows) > MOST:
        raise UserError(f"these values make {len(rows):,} runs; a sweep has at most {MOST}")
    specs: list[Spec] = []
    for number, row in enumerate(rows, 1):
        own = [f"{path}={text}" for path, text in zip(fields, row, strict=True)]
        if base.name and "name" not in fields:
            own.append(f"name={json.dumps(f'{base.name}-{number}')}")
        specs.append(changed(base, own))
    return specs


def _values(over: str) -> tuple[str, list[str]]:
    """A setting's path, and each of its values as `read_spec` takes it."""
    path, equals, text = over.partition("=")
    if not equals or not path:
        raise UserError(f"a sweep needs field=value,value, as in trainer.learning_rate=1e-4,2e-4; got {shown(over)}")
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
        except ValueError as error:
            raise UserError(f"{path}: {shown(text)} is not a JSON list: {error}", field=path) from None
        return path, [json.dumps(value) for value in listed]
    return path, [value.strip() for value in text.split(",")]
