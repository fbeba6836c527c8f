"""A real studio in a process of its own, and the raw requests that a stranger's page would send to it."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from engine.launchers.local import Local


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`python -m studio` on a free port; `close` ends it."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home, self.port, self.environment = home, free_port(), environment
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home.with_suffix(".log")
        self.start()

    def start(self) -> None:
        """Start it, also again on the same port after `process` was killed."""
        started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "studio", "--home", str(self.home), "--port", str(self.port)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **self.environment},
            )  # fmt: skip
        while self.request("/")[0] != 200:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() - started < 60, self.log.read_text()
            time.sleep(0.05)
        self.cpu_seconds_to_first_page = psutil.Process(self.process.pid).cpu_times()
        self.seconds_to_first_page = time.monotonic() - started

    def request(self, path: str, data: object = None, **headers: str) -> tuple[int, bytes]:
        """(status, body); 0 where nobody listens."""
        body = None if data is None else json.dumps(data).encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, body, headers), timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (urllib.error.URLError, ConnectionError):
            return 0, b""

    def functions(self) -> dict[str, int]:
        """Name -> number of each handler."""
        config = json.loads(self.request("/config")[1])
        return {each["api_name"]: each["id"] for each in config["dependencies"]}

    def look(self, page: str, **headers: str) -> tuple[int, bytes]:
        """Have a page drawn from the values that it starts with."""
        config = json.loads(self.request("/config")[1])
        values = {part["id"]: part["props"].get("value") for part in config["components"]}
        fields = next(each["inputs"] for each in config["dependencies"] if each["api_name"] == f"{page}_look")
        return self.request(f"/studio/look/{page}", {"values": [values[field] for field in fields]}, **headers)

    def queued(self, name: str, values: list[object], event: object = None) -> str:
        """Call a queued handler as the page does, and wait for all that the server says of it."""
        asked = {"data": values, "fn_index": self.functions()[name], "session_hash": name, "event_data": event}
        status, said = self.request("/gradio_api/queue/join", asked)
        if status != 200:
            return said.decode()
        return self.request(f"/gradio_api/queue/data?session_hash={name}")[1].decode().replace(": ", ":")

    def number_of_runs(self) -> int:
        with sqlite3.connect(f"file:{self.home}/studio.db?mode=ro", uri=True) as database:
            return int(database.execute("SELECT count(*) FROM run").fetchone()[0])

    def close(self) -> None:
        """End the server, and the workers that would outlive it, as they should."""
        for folder in (self.home / "runs").glob("*"):
            Local().sweep(folder.resolve())
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
