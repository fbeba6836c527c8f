"""Services that serve a model with OpenAI's HTTP API, each a process of `served_model.py`, and a generator for one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.assets import STARTER_MODEL
from engine.domain import Model
from engine.generators.endpoint import Endpoint

SERVED = Path(__file__).with_name("served_model.py")
MODEL = Model("served", "endpoint", "")


@pytest.fixture(scope="module")
def serve():
    """Start a service with some options; returns its address."""
    started = []

    def start(*options, folder=STARTER_MODEL):
        command = [sys.executable, str(SERVED), str(folder), *options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ})
        started.append(process)
        return f"http://127.0.0.1:{int(process.stdout.readline())}/v1"

    yield start
    for process in started:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def url(serve):
    return serve()


def endpoint(url, **settings):
    made = Endpoint(Endpoint.Params(url=url, max_new_tokens=8, **settings))
    made.load(MODEL, 0)
    return made
