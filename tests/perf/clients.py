"""Two hundred open pages at one server: they load, choose, look and ask as fast as they are answered, for 30 s."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

from figures import Figure
from studio_in_a_browser import server

CLIENTS, SECONDS = 200, 30
PAGES = ("app", "datasets", "train", "monitor", "merge", "patches", "compare", "chat")
CLICKS = ("monitor_choose", "chat_choose")


def measure() -> Iterator[Figure]:
    """No request may fail; the time of an answer under this load, without any pause between a client's requests."""
    with server() as made:
        config = json.loads(made.request("/config")[1])
        until = time.monotonic() + SECONDS
        people = [Person(number, made.port, config) for number in range(CLIENTS)]
        threads = [threading.Thread(target=person.use, args=(until,)) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        said = made.log.read_text()
    times = sorted(seconds for person in people for seconds in person.times)
    failures = [failure for person in people for failure in person.failures]
    print(f"{len(times)} requests, {len(times) / SECONDS:.0f}/s, median {times[len(times) // 2]:.2f} s, {failures[:3]}")
    yield Figure("slowest of a hundred answers, 200 clients", times[int(len(times) * 0.99)], "s", 3.0)
    yield Figure("failed requests, 200 clients", len(failures), "requests", 0)
    yield Figure("tracebacks logged, 200 clients", said.count("Traceback"), "tracebacks", 0)


class Person:
    """One open page with a connection of its own, as a browser has."""

    def __init__(self, number: int, port: int, config: dict[str, Any]) -> None:
        self.number, self.port = number, port
        self.values = {part["id"]: part["props"].get("value") for part in config["components"]}
        self.handlers = {each["api_name"]: each for each in config["dependencies"]}
        self.times: list[float] = []
        self.failures: list[str] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def use(self, until: float) -> None:
        """Load the page, then half of the time ask for changes, else look at a page, now and then click."""
        drawn = random.Random(self.number)
        self.ask("GET", "/")
        sent: dict[str, Any] = {}
        while time.monotonic() < until:
            page, chance = drawn.choice(PAGES), drawn.random()
            if chance < 0.5:
                self.ask("GET", "/studio/changes")
            elif chance < 0.95:
                fields = [self.values[field] for field in self.handlers[f"{page}_look"]["inputs"]]
                told = self.ask("POST", f"/studio/look/{page}", {"sent": sent.get(page), "values": fields})
                sent[page] = json.loads(told)["sent"] if told and drawn.random() < 0.5 else None  # half see it anew
            else:
                self.click(drawn.choice(CLICKS))

    def click(self, name: str) -> None:
        handler, session = self.handlers[name], f"p{self.number}x{len(self.times)}"
        data = [self.values[field] for field in handler["inputs"]]
        asked = {"data": data, "fn_index": handler["id"], "session_hash": session, "event_data": {"value": "1"}}
        self.ask("POST", "/gradio_api/queue/join", asked)
        told = self.ask("GET", f"/gradio_api/queue/data?session_hash={session}").decode()
        if '"success":true' not in told.replace(": ", ":"):
            self.failures.append(f"{name}: {told[-200:]}")

    def ask(self, method: str, address: str, sent: object = None) -> bytes:
        """The body of the answer; empty where there was none."""
        began = time.monotonic()
        try:
            status, body = self._answer(method, address, sent)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self.failures.append(f"{address}: {error!r}")
            return b""
        self.times.append(time.monotonic() - began)
        if status != 200:
            self.failures.append(f"{status} {address} {body[:80]!r}")
        return body

    def _answer(self, method: str, address: str, sent: object) -> tuple[int, bytes]:
        body = None if sent is None else json.dumps(sent)
        headers = {} if body is None else {"Content-Type": "application/json"}
        for is_last in (False, True):
            try:
                self._connection.request(method, address, body, headers)
                answer = self._connection.getresponse()
                return answer.status, answer.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self._connection.close()  # the server closes what was quiet for 5 s; a browser then connects anew
                if is_last:
                    raise
        raise AssertionError
