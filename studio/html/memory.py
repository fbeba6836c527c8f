"""What a training will need, as HTML: its memory as a stacked bar, its parameters, and its time."""

from __future__ import annotations

from engine.control.preflight import Generation, Preflight
from engine.plan import TIME, Plan
from engine.trainers.memory_advice import advised
from studio.html.basics import count, duration, esc, size, tiles

PARTS = {
    "weights": "weights of the model",
    "optimizer": "state of the optimizer",
    "gradients": "gradients",
    "activations": "activations for the backward pass",
    "buffers": "logits, and buffers not in use",
    "context": "libraries and driver",
}


def memory_bar(needed: Preflight) -> str:
    """A stacked bar of what training needs, against what this machine has."""
    estimate, machine_bytes = needed.estimate, needed.machine_bytes
    if estimate is None:
        return '<p class="dim">This trainer cannot estimate how much memory it will need.</p>'
    full = max(estimate.total, machine_bytes)
    parts = "".join(
        f'<i class="p-{name}" style="width:{100 * n_bytes / full:.2f}%" title="{PARTS[name]}: {size(n_bytes)}"></i>'
        for name, n_bytes in estimate.parts.items()
    )
    key = "".join(
        f'<li><i class="p-{name}"></i><span>{PARTS[name]}</span><b>{size(n_bytes)}</b></li>'
        for name, n_bytes in estimate.parts.items()
    )
    exactly = "as measured here, " if needed.measured_by else "about "
    words = f"{exactly}{size(estimate.total)} of {size(machine_bytes)}"
    advice = "" if needed.fits else (
        f'<p class="complaint" role="alert">This does not fit; {esc(advised(needed.advice))}. A run is refused unless '
        "<i>Start anyway</i> is set.</p>"
    )  # fmt: skip
    notes = "".join(f"<li>{esc(note)}</li>" for note in estimate.notes)
    where = "GPU memory" if needed.device == "cuda" else "main memory"
    head = f'<p><b>{words}</b> <span class="dim">{where}, samples of {needed.sample_tokens:,} tokens</span></p>'
    return (
        f'<div class="memory {"fits" if needed.fits else "over"}">{head}'
        f'<div class="stack" role="img" aria-label="Memory: {words}">{parts}</div><ul class="stack-key">{key}</ul>'
        f'{advice}<ul class="notes">{notes}</ul></div>'
    )


def generation_line(needed: Generation | None) -> str:
    """A line about the memory of writing patches; empty where another machine writes them."""
    if needed is None:
        return ""
    one, where = needed.needs, "GPU memory" if needed.device == "cuda" else "main memory"
    over = "" if one.total <= needed.machine_bytes else (
        '<p class="complaint" role="alert">This does not fit; keep the weights in fewer bits (base_bits 4), or ask for '
        "fewer candidates.</p>"
    )  # fmt: skip
    return (
        f'<p class="origin">Writing patches needs about {size(one.total)} of {size(needed.machine_bytes)} {where}: '
        f"weights {size(one.weights)} (in mixed precision, at 6 bytes a parameter, {size(one.mixed_precision)}), keys "
        f"and values {size(one.cache)}, activations {size(one.activations)}, libraries and driver "
        f"{size(one.context)}. Where more is free, more bugs are computed together.</p>{over}"
    )


def _time(plan: Plan | None) -> tuple[str, str, str]:
    time = plan.line(TIME) if plan else None
    if time is None or time.value is None:
        return "not known", "time to expect", "A first training of this model by this method will tell its speed here."
    return f"about {duration(max(1.0, time.value))}", "time to expect", f"by {time.source}"


def parameters(needed: Preflight, plan: Plan | None = None) -> str:
    """How many parameters the training changes, where its trainer can tell, and its time."""
    estimate = needed.estimate
    if estimate is None:
        return tiles([_time(plan)])
    share = 100 * estimate.trainable / max(estimate.all_parameters, 1)
    added = " and the added matrices" if estimate.all_parameters > estimate.parameters else ""
    return tiles(
        [
            (count(estimate.trainable), "parameters trained", f"{share:.2f} % of all"),
            (count(estimate.all_parameters), "parameters in all", "of the base model" + added),
            _time(plan),
        ]
    )
