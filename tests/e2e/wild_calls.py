"""Values of every wrong kind, sent by a script to every handler."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from web_server import Server

LONG = "x" * 300_000
VALUES = (
    None, True, False, 0, 1, -1, 3, 7, 0.5, -2.5, 1e308, 2**31, 2**53, 2**63, 10**30, float("nan"), float("inf"),
    "", "0", "7", "-1", "abc", "1e5", "٣", " ", "\n", "a\0b", "\ud800", "\udfff x", "💥", LONG, "../../etc/passwd",
    "<img src=x onerror=alert(1)>", "'; DROP TABLE run; --", "pocket/py-gcd", "repair-lora", "stdlib-faults",
    "1:pocket/py-gcd", "?run=7", "?run=" + "9" * 400, "?chat=1", "?tab=train&again=2", "?tab=chat&use=model:x", "sft", "demo", "python", "quixbugs",
    [], [1, 2], ["a", None], ["\ud800"], [[["deep"]]], {}, {"a": 1}, {"value": "7"}, {"path": "/etc/passwd"},
    {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, {"__type__": "update", "value": 1},
)  # fmt: skip
TYPED = {  # what comes as far as a handler: of its widget's type, and odd
    "number": (0, 1, -1, 3, 7, 8, 9, 2**31, 2**53 - 1, -(2**53) + 1, 999999),
    "textbox": ("", "0", "7", "-1", "1e5", "٣", "\n", "💥", "../../etc/passwd", "'; DROP TABLE run; --", "x" * 5000, "9" * 5000,
                "%_\\", "1:pocket/py-gcd", "?run=7", "?tab=patches&bug=x&rank=known_fix", "model:starter", "{}", "[1]", '{"a": {"b": 1}}', "\\", "*", "a" * 300 + "/b"),
    "dropdown": (None, 0, 3, 4, 5, 7, -1, 2**31, "", "7", "sft", "demo", "stdlib-faults", "repair-lora", "pocket/py-clock-format",
                 "quixbugs", "../x", "all", "none_plausible", "kind", "python", ["python"], [], "/dev/null", "💥", "a" * 5000),
    "radio": (None, "all", "plausible", "skipped", "x", "💥"),
    "checkbox": (True, False),
}  # fmt: skip


class Wild:
    """Calls a server's handlers, each with values drawn anew."""

    def __init__(self, server: Server, seed: int = 0) -> None:
        self.server, self.seed = server, seed
        config = json.loads(server.request("/config")[1])
        self.parts = {part["id"]: part for part in config["components"]}
        self.handlers = [each for each in config["dependencies"] if each["backend_fn"]]
        self.pages = {
            each["api_name"].removesuffix("_look"): each["inputs"]
            for each in config["dependencies"] if each["api_name"].endswith("_look")
        }  # fmt: skip

    def call_all(self, times: int) -> list[str]:
        """Call each handler and each page's look so often; what was not answered as it should be."""
        tasks: list[Any] = [("handler", each) for each in self.handlers]
        tasks += [("look", each) for each in self.pages.items()]
        with ThreadPoolExecutor(8) as pool:
            return [bad for found in pool.map(lambda task: list(self._calls(*task, times)), tasks) for bad in found]

    def _calls(self, kind: str, what: Any, times: int) -> Iterator[str]:
        name = what[0] if kind == "look" else what["api_name"]
        drawn = random.Random(f"{self.seed} {name}")
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        for number in range(times):
            answers = self._looked(drawn, *what) if kind == "look" else self._handled(drawn, what, f"{name}{number}")
            for address, body in answers:
                status, text = _answer(connection, address, body)
                if status not in (200, 400, 404, 422) or "Traceback" in text:
                    yield f"{name}: {status} {text[:200]} for {str(body)[:300]}"
                if status != 200:
                    break

    def _drawn(self, drawn: random.Random, fields: list[int]) -> list[Any]:
        """One value a field: some calls are wild throughout, in others a few fields are odd and the rest as they were."""
        if drawn.random() < 0.2:
            return [drawn.choice(VALUES) for _ in fields]
        values = []
        for field in fields:
            part = self.parts[field]
            typed = TYPED.get(part["type"], ("",))
            is_many = bool(part["props"].get("multiselect"))
            typed = tuple(value for value in typed if isinstance(value, list) == is_many or value is None)
            is_odd = drawn.random() < max(0.1, 2 / len(fields))
            values.append(drawn.choice(typed) if is_odd else part["props"].get("value"))
        if values and drawn.random() < 0.2:
            values[drawn.randrange(len(values))] = drawn.choice(VALUES)
        return values

    def _looked(self, drawn: random.Random, page: str, fields: list[int]) -> Iterator[tuple[str, Any]]:
        values = self._drawn(drawn, fields)
        body: Any = {"sent": drawn.choice(VALUES), "values": values}
        if drawn.random() < 0.1:
            body = drawn.choice([*VALUES, {"values": drawn.choice(VALUES)}, {"values": values[1:]}])
        yield f"/studio/look/{page}", body

    def _handled(self, drawn: random.Random, handler: dict[str, Any], session: str) -> Iterator[tuple[str, Any]]:
        data = self._drawn(drawn, handler["inputs"])
        body: Any = {"data": data, "fn_index": handler["id"], "session_hash": session}
        body["event_data"] = drawn.choice([None, {"value": drawn.choice(VALUES)}, drawn.choice(VALUES)])
        if drawn.random() < 0.1:
            field = drawn.choice(
                ["data", "fn_index", "session_hash", "trigger_id", "batched", "simple_format", "event_id"]
            )
            body[field] = drawn.choice(VALUES)
        yield "/gradio_api/queue/join", body
        yield f"/gradio_api/queue/data?session_hash={session}", None
        if drawn.random() < 0.05:
            yield drawn.choice(["/gradio_api/run/predict", "/gradio_api/call/x", "/gradio_api/api/y"]), body


def _answer(connection: http.client.HTTPConnection, address: str, body: Any) -> tuple[int, str]:
    for is_last in (False, True):
        try:
            if "queue/data" in address:
                connection.request("GET", address)
            else:
                connection.request("POST", address, json.dumps(body), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (http.client.HTTPException, OSError) as error:
            connection.close()
            if is_last:
                return 0, repr(error)
    raise AssertionError
