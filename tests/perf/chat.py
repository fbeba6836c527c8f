"""A conversation with the shipped model in a browser: how soon and how often text is seen, and memory after unloading."""

from __future__ import annotations

import time
from collections.abc import Iterator
from statistics import median

import psutil
from figures import Figure
from pages import field
from studio_in_a_browser import browser, opened, server

from engine.assets import STARTER_MODEL
from engine.models.tokenizer import of_transformers

ROUNDS = 5
LONG = 50  # tokens
ADDRESS = "?tab=chat&bug=pocket/py-stock-check&use=model:starter"  # this model writes its answers to the last token
LONG_MS = 120_000
WATCH = """(panel) => {
  const begun = performance.now(); window.first = null; window.seen = [[]];
  window.watch?.disconnect();
  window.watch = new MutationObserver(() => {
    const text = panel.querySelector('[data-said]')?.textContent;
    if (!text) return;
    window.first = window.first ?? performance.now() - begun;
    const said = window.seen.at(-1);
    if (text === said.at(-1)) return;
    if (said.length && !text.startsWith(said.at(-1))) window.seen.push([text]); else said.push(text);
  });
  window.watch.observe(panel, { subtree: true, childList: true, characterData: true });
  [...panel.querySelectorAll('button')].find((each) => each.textContent.trim() === 'Repair').click();
}"""


def measure() -> Iterator[Figure]:
    """Each round sends one message to a loaded model; of the first texts the middle one counts, and the fewest updates
    of an answer of sixty tokens, whose last few are not seen before it is done."""
    with server(prepare=None, is_still=False) as made, browser() as chromium:
        page = opened(chromium, f"{made.url}/{ADDRESS}")
        panel = page.get_by_role("tabpanel").filter(visible=True)
        panel.locator(".code .marked").first.wait_for()
        field(panel, "Budget").fill("1")
        firsts, updates = [], []
        for number in range(1 + ROUNDS):
            field(panel, "Your message").fill(f"try number {number}")
            panel.evaluate(WATCH)
            panel.locator(".turn.user").filter(has_text=f"try number {number}").wait_for(timeout=LONG_MS)
            panel.locator("[data-live]").wait_for(state="detached", timeout=LONG_MS)
            if number:  # the first message loads the model
                if first := page.evaluate("window.first"):  # none where an answer was over before it was shown
                    firsts.append(first / 1000)
                updates += [len(said) for said in page.evaluate("window.seen") if _tokens(said[-1:]) >= LONG]
        worker = next(each for each in _workers(str(made.home)))
        held, free = worker.memory_full_info().uss >> 20, _available_mib()
        began = time.monotonic()
        panel.get_by_role("button", name="Unload").click()
        gone = _seconds_until_gone(worker, began)
        print(f"first texts {firsts}, updates {updates}, the worker held {held} MiB")
        yield Figure("first text of an answer after it was asked for", median(firsts), "s", 1.0)
        yield Figure("updates while an answer is written", min(updates, default=None), "updates", 10, is_least=True)
        yield Figure("a chat's worker is gone after Unload", gone, "s", 15)
        back = (_available_mib() - free) / held
        yield Figure("share of the worker's own memory that is back after Unload", back, "", 0.9, is_least=True)


def _tokens(texts: list[str]) -> int:
    return sum(len(of_transformers(STARTER_MODEL).encode(text)) for text in texts)


def _workers(home: str) -> list[psutil.Process]:
    return [each for each in psutil.process_iter(["cmdline"]) if _is_worker(each.info["cmdline"] or [], home)]


def _is_worker(command: list[str], home: str) -> bool:
    return "engine.work" in command and any(word.startswith(home) for word in command)


def _seconds_until_gone(worker: psutil.Process, began: float) -> float | None:
    psutil.wait_procs([worker], timeout=60)
    return None if worker.is_running() else time.monotonic() - began


def _available_mib() -> int:
    time.sleep(2)  # what has ended gives its memory back
    return int(psutil.virtual_memory().available) >> 20
