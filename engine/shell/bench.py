"""The verbs that measure this machine: `bench train` and `bench generate`."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from engine.fingerprint import library_versions, machine_facts
from engine.models.published import NAMES, config_of, rows_of
from engine.shell.verbs import Json, guarded
from engine.work.__main__ import prepare_process

GIB = 1 << 30
Shape = Annotated[str, typer.Option(help=f"{', '.join(NAMES)}, or a model's config.json or folder")]
bench = typer.Typer(help="Measure what this machine can do.", no_args_is_help=True)


@bench.callback()
def everything() -> None:
    """Measure what this machine can do."""


@bench.command()
@guarded
def train(
    shape: Shape,
    steps: Annotated[int, typer.Option(help="optimizer steps that are counted, in each way", min=1, max=10_000)] = 8,
    json_: Json = False,
) -> None:
    """Measure LoRA with a model of this shape: what most tools do by default against what `speed` auto chooses."""
    config = config_of(shape)
    prepare_process()
    from engine.trainers.training_speed import measure  # torch takes seconds to import, and the help does without

    with redirect_stdout(sys.stderr):  # the libraries' own words
        found = measure(config, rows_of(shape), steps)
    versions = library_versions()
    if json_:
        facts = {"machine": machine_facts(), "versions": versions}
        print(json.dumps({"shape": shape, "steps": steps, **asdict(found), **facts}))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"{shape}: LoRA of rank 16 on all linear layers, {found.parameters / 1e6:,.1f} M random weights "
        f"in {found.dtype} on {found.device}, "
        f"torch {versions.get('torch')}, transformers {versions.get('transformers')}\n"
        f"  matrix products: {found.matrix_flops / 1e12:,.2f} TFLOP/s",
        markup=False,
    )
    for name, way in (("padded default", found.default), ("speed auto", found.ours)):
        console.print(
            f"  {name:15} {way.tokens_per_s:10,.0f} tokens/s  {way.matrix_share:5.0%} of that rate  "
            f"padding {1 - way.tokens / way.computed_tokens:4.0%}  warm-up {way.warm_up_s:5.1f} s  "
            f"peak {way.peak_memory_bytes / GIB:.2f} GiB",
            markup=False,
        )
    console.print(f"  ratio {found.ratio:.2f}; chosen: {'; '.join(found.chosen)}", markup=False)


@bench.command()
@guarded
def generate(
    shape: Shape,
    prompts: Annotated[int, typer.Option(help="how many are answered", min=1, max=100_000)] = 32,
    prompt_tokens: Annotated[int, typer.Option(help="length of each prompt", min=1)] = 512,
    new_tokens: Annotated[int, typer.Option(help="length of each completion", min=1)] = 64,
    beams: Annotated[int, typer.Option(help="completions a prompt", min=1, max=200)] = 10,
    batch_tokens: Annotated[
        int | None, typer.Option(help="computed at a time; left out: as many as fit", min=1)
    ] = None,
    rounds: Annotated[int, typer.Option(help="the median of so many counts", min=1, max=100)] = 3,
    json_: Json = False,
) -> None:
    """Measure beam search with a model of this shape and random weights, on the GPU if there is one."""
    config = config_of(shape)
    prepare_process()
    from engine.generators.speed import Work, measure  # torch takes seconds to import, and the help does without

    work = Work(prompts, prompt_tokens, new_tokens, beams, batch_tokens, rounds)
    found = measure(config, work)
    if json_:
        facts = {"machine": machine_facts(), "versions": library_versions()}
        print(json.dumps({"shape": shape, **asdict(work), **asdict(found), **facts}))
        return
    console = Console(highlight=False, soft_wrap=True)
    versions = library_versions()
    console.print(
        f"{shape}: {found.parameters / 1e6:,.1f} M random weights in {found.dtype} on {found.device}, "
        f"torch {versions.get('torch')}, transformers {versions.get('transformers')}\n"
        f"  {prompts} prompts of {prompt_tokens} tokens, {beams} beams, {new_tokens} new tokens each, "
        f"median of {rounds}\n"
        f"  {found.prompts_per_s:,.2f} prompts/s, {found.new_tokens_per_s:,.0f} new tokens/s in all beams, "
        f"peak memory {found.peak_memory_bytes / GIB:.2f} GiB\n"
        f"  one prompt at a time {found.alone_prompts_per_s:,.2f} prompts/s, ratio {found.ratio:.2f}",
        markup=False,
    )
