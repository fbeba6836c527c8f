"""Before a run starts: the memory it will need, that of this machine, and what would fit where a training does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.control.datasets import Datasets
from engine.control.models import Models
from engine.errors import UserError
from engine.generators.memory_estimate import PROMPT_TOKENS, Generating, generating
from engine.gpus import gpus
from engine.main_memory import main_memory
from engine.plugins import GENERATORS, TRAINERS
from engine.specs import BenchmarkSpec, ChatSpec, TrainingSpec
from engine.trainers import Device, Estimate
from engine.trainers.memory_advice import Advice
from engine.trainers.memory_calibration import key_of, read
from engine.trainers.memory_check import CPU, DEFAULT_TOKENS, Room, changes_that_fit, estimated, limit


@dataclass(frozen=True)
class Preflight:
    """An estimate and the memory of this machine, in bytes."""

    estimate: Estimate | None  # None: this trainer cannot estimate
    machine_bytes: int  # of the largest GPU, or main memory; less where the settings have a cap
    device: Device
    sample_tokens: int  # the length of a sample that the estimate assumes
    advice: tuple[Advice, ...] = ()  # what would fit, where this does not
    measured_by: int = 0  # the run that measured what such a training takes here; 0: none has

    @property
    def fits(self) -> bool:
        return self.estimate is None or self.estimate.total <= self.machine_bytes


def preflight(
    spec: TrainingSpec, models: Models, datasets: Datasets, calibrations: Mapping[str, Mapping[str, float]]
) -> Preflight:
    """Estimate for the longest sample of the dataset; `calibrations` as `Runs.calibrations` has them.

    Raises UserError if the model's sizes are not known, or model and settings do not fit together.
    """
    model = models.resolve(spec.model)
    params = spec.trainer
    trainer = TRAINERS.create(params)
    nearest = models.nearest(model)
    trainer.check(nearest)
    if hasattr(trainer, "fitted"):  # an adapter's own rank, where the settings name none
        params = trainer.fitted(nearest)
    config = models.config(model)
    try:
        tokens = datasets.get(spec.dataset).max_tokens or DEFAULT_TOKENS
    except UserError:
        tokens = DEFAULT_TOKENS
    room, known = machine_room(getattr(spec.launcher, "devices", "")), read(calibrations)
    found = estimated(params, config, tokens, room, known)
    have = limit(params, room)
    advice = changes_that_fit(params, config, tokens, room, known) if found and found.total > have else ()
    measured = known.get(key_of(config, params, room.name)) if found else None
    return Preflight(found, have, room.device, tokens, advice, measured.run if measured else 0)


@dataclass(frozen=True)
class Generation:
    """What writing patches will need, and the memory of this machine, in bytes."""

    needs: Generating
    machine_bytes: int
    device: Device


def generation(spec: BenchmarkSpec | ChatSpec, models: Models) -> Generation | None:
    """For a benchmark run or a chat; None where another machine generates. Raises UserError as `preflight`."""
    generator = GENERATORS.create(spec.generator)
    if generator.is_remote:
        return None
    room = machine_room(getattr(spec.launcher, "devices", ""))
    settings = (getattr(spec.generator, "max_new_tokens", 64), getattr(spec.generator, "base_bits", 16))
    config = models.config(models.resolve(spec.model))
    completions, prompt = getattr(spec, "candidates", 1), PROMPT_TOKENS
    if isinstance(spec, BenchmarkSpec) and not spec.asks_once:
        completions = 1 if getattr(generator, "draws_again", False) else completions
        prompt += getattr(spec.strategy, "tokens", 0)  # of what the model is told
    found = generating(config, room.device, completions, *settings, prompt=prompt)
    return Generation(found, room.bytes, room.device)


def machine_room(devices: str = "") -> Room:
    """All the memory of the largest GPU, or of this machine where there is none or a run is `devices` "cpu"."""
    cards = gpus()
    if cards and devices != "cpu":
        largest = max(cards, key=lambda card: card.memory_bytes)
        return Room("cuda", largest.name, largest.memory_bytes)
    return Room("cpu", CPU, main_memory().total_bytes)
