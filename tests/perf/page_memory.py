"""A Monitor page left open over a real training run for a quarter of an hour: the browser's memory stays.

The browser is asked over a pipe and not through Playwright, which has it keep what the page fetches (100 MB of it).
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from figures import Figure
from studio_in_a_browser import CHROMIUM, FLAGS, server

MINUTES = 15
DATASET = ("dataset", "build", "--set", "builder.samples=200", "--set", "name=small", "--wait")
TRAINING = ("train", "--set", "dataset=small", "--set", "trainer.max_steps=100000", "--set", "trainer.logging_steps=1",
            "--set", "trainer.batch_size=1", "--set", "trainer.save_steps=100000")  # fmt: skip
LAST_STEP = "document.querySelector('.js-plotly-plot')?.data?.[0]?.x.at(-1) ?? 0"
COUNTED = {"Nodes": "DOM nodes", "JSEventListeners": "listeners", "JSHeapUsedSize": "JavaScript heap"}


def measure() -> Iterator[Figure]:
    """Resident memory of the page's renderer, and what is in it, at the end against the end of the first minute."""
    with server(prepare=None, is_still=False) as made:
        for words in (DATASET, TRAINING):
            command = [sys.executable, "-m", "engine", *words, "--home", str(made.home)]
            subprocess.run(command, check=True, stdout=sys.stderr)
        with chromium(f"{made.url}/?run=2") as page:
            while page.evaluate(LAST_STEP) < 2:
                time.sleep(1)
            began, seen = time.monotonic(), []
            while time.monotonic() - began < 60 * MINUTES:
                time.sleep(15)
                page.call("HeapProfiler.collectGarbage")
                metrics = {each["name"]: each["value"] for each in page.call("Performance.getMetrics")["metrics"]}
                now = {"minute": (time.monotonic() - began) / 60, "MiB": page.renderer_mib()}
                seen.append({**now, "step": page.evaluate(LAST_STEP), **{name: metrics[name] for name in COUNTED}})
                print(seen[-1], flush=True)
    first = max((each for each in seen if each["minute"] < 1.2), key=lambda each: each["minute"])
    last = seen[-1]
    yield Figure("steps drawn while the page was open", last["step"] - first["step"], "steps", 100, is_least=True)
    for what, name in {"MiB": "memory", **COUNTED}.items():
        ratio = last[what] / first[what]
        yield Figure(f"{name} of an open Monitor page after {MINUTES} minutes", ratio, "of its first minute", 1.5)


class Page:
    """One page of a browser, spoken to in the DevTools protocol over a pipe (chromium's --remote-debugging-pipe)."""

    def __init__(self, process: subprocess.Popen[bytes], said: int, heard: int, url: str) -> None:
        self._process, self._said, self._heard = process, said, os.fdopen(heard, "rb", buffering=0)
        self._numbers, self._rest, self._session = itertools.count(1), b"", ""
        target = self.call("Target.createTarget", url=url)["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Performance.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """What the browser answers."""
        number = next(self._numbers)
        asked = {"id": number, "method": method, "params": parameters}
        asked |= {"sessionId": self._session} if self._session else {}
        os.write(self._said, json.dumps(asked).encode() + b"\0")
        while True:
            while b"\0" not in self._rest:
                self._rest += self._heard.read(1 << 20)
            text, self._rest = self._rest.split(b"\0", 1)
            answer = json.loads(text)
            if answer.get("id") == number:
                assert "result" in answer, answer
                return answer["result"]

    def evaluate(self, script: str) -> Any:
        """The value of a script in the page."""
        return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value", 0)

    def renderer_mib(self) -> float:
        """Resident memory of the largest renderer, which is the page's."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        sizes = [each.memory_info().rss for each in children if "--type=renderer" in " ".join(each.cmdline())]
        return max(sizes) / (1 << 20)


@contextmanager
def chromium(url: str) -> Iterator[Page]:
    """A browser with one page."""
    (asked, say), (hear, answered) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(prefix="perf-", ignore_cleanup_errors=True) as folder:
        flags = [
            *FLAGS,
            "--headless=new",
            "--window-size=1440,900",
            "--remote-debugging-pipe",
            f"--user-data-dir={folder}",
        ]
        script = f'exec "$0" "$@" 3<&{asked} 4>&{answered}'  # the numbers that chromium reads and writes
        process = subprocess.Popen(
            ["sh", "-c", script, CHROMIUM, *flags], pass_fds=(asked, answered), stderr=subprocess.DEVNULL
        )
        try:
            yield Page(process, say, hear, url)
        finally:
            process.terminate()
            process.wait(20)
