"""The settings of a job of Ray: which cluster, what is reserved on a node, and what the worker there gets."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from engine.errors import UserError
from engine.launchers.named import Variable, is_variable
from engine.launchers.priced import Priced
from engine.launchers.slurm_settings import MOST_CORES, MOST_GIB, Words
from engine.launchers.together import TogetherParams
from engine.params import Place, setting, shown

TESTS = "REPAIR_STUDIO_TESTS_ON_RAY"  # in a worker's environment: how many tasks may test its patches at a time
LOCAL = "local"  # as an address: a cluster of this machine alone, started for the purpose
FROM_ENVIRONMENT = ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS")  # where Ray's own commands find the address, in this order
HOW_TO_START = "start one with: ray start --head, and name it as launcher.address=http://HEAD:8265, or use local"
BY_NAME = "name it in launcher.environment, without its value"
_ADDRESS = re.compile(r"https?://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?")
_RESOURCE = re.compile(r"[A-Za-z0-9_.:/-]{1,100}")
_SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|(^|_)KEY|KEY$", re.IGNORECASE)


def _address(text: str) -> str:
    if text not in ("", LOCAL) and not _ADDRESS.fullmatch(text):
        raise ValueError(
            f"should be {LOCAL}, or the address of the cluster's dashboard such as http://head:8265, without a user "
            f"name (got {shown(text)})"
        )
    return text.rstrip("/")


def _resource(text: str) -> str:
    name, _, amount = text.partition("=")
    try:
        value = float(amount)
    except ValueError:
        value = math.nan
    if not _RESOURCE.fullmatch(name) or not 0 < value < math.inf:
        raise ValueError(f"should be a resource of the cluster and a number, as in a100=1 (got {shown(text)})")
    return text


def _value(text: str) -> str:
    name, is_set, _ = text.partition("=")
    if not is_variable(name) or not is_set:
        raise ValueError(f"should be a variable and its value, as in HF_HOME=/data/hf (got {shown(name)})")
    if _SECRET.search(name):
        raise ValueError(f"{name} looks like a secret, which would be shown in Ray's dashboard: {BY_NAME}")
    return text


class RayParams(TogetherParams, Priced):
    """Which cluster of Ray, what the run reserves there, and how its worker is started on the node."""

    name: Literal["ray"] = "ray"
    address: Annotated[str, AfterValidator(_address)] = setting(
        "", f"of Ray's dashboard, as http://head:8265; {LOCAL}: a cluster of this machine, started for you; "
        f"empty: {FROM_ENVIRONMENT[0]} of the environment",
    )  # fmt: skip
    cpus: float = setting(1.0, "cores that the run reserves on a node", gt=0, le=MOST_CORES, title="CPUs")
    gpus: float = setting(0.0, "GPUs that it reserves; 0.5: half of one", ge=0, le=64, title="GPUs")
    processes: int = setting(
        1, "of a training, on as many nodes as there are, each with these CPUs and GPUs; other runs have one", ge=1,
        le=1024, title="Processes",
    )  # fmt: skip
    memory_gib: float | None = setting(
        None, "main memory that it reserves; left open: none", title="Memory (GiB)", gt=0, le=MOST_GIB
    )
    resources: tuple[Annotated[str, AfterValidator(_resource)], ...] = setting(
        (), 'further resources of the cluster that it reserves, such as ["a100=1"]', more=True
    )
    python: Words = setting("", "that runs the worker on the node; empty: this one", more=True)
    env_vars: tuple[Annotated[str, AfterValidator(_value)], ...] = setting(
        (), 'variables of the worker, such as ["HF_HOME=/data/hf"]; Ray shows them to all its users', more=True
    )
    environment: tuple[Variable, ...] = setting(
        (),
        'names of secret variables whose values the worker gets, such as ["HF_TOKEN"]; Ray is not told them',
        more=True,
    )
    runtime_env: Place = setting(
        "", "a JSON file with a runtime environment of Ray (pip, uv, conda, image_uri, ...)", more=True, upload=".json"
    )
    validate_on: Literal["node", "cluster"] = setting(
        "node",
        "node: a run's patches are tested where it is; cluster: and by tasks of one core on any node",
        more=True,
    )
    most_tests: int = setting(16, "such tasks of a run at a time", ge=1, le=1024, more=True)
    restarts: int = setting(
        0, "how often a run that lost its node goes on by itself on another; then it is interrupted", ge=0, more=True
    )
    most_active: int = setting(20, "runs that are given to Ray at a time; others wait here", ge=1, more=True)

    def machines(self) -> tuple[int, int]:
        """Of several processes as if on one node: Ray spreads them over as many as it has."""
        return 1, math.ceil(self.gpus * self.processes)


def resolved(address: str) -> str:
    """The dashboard's address, or LOCAL. Raises UserError if no cluster is named, or not by its dashboard."""
    if address:
        return address
    for name in FROM_ENVIRONMENT:
        if text := os.environ.get(name, ""):
            try:
                return _address(text)
            except ValueError:
                raise UserError(
                    f"launcher.address: is empty, and {name} in the environment is {shown(text)}, which is not the "
                    "address of a dashboard; enter one such as http://head:8265",
                    field="launcher.address",
                ) from None
    raise UserError(f"launcher.address: no Ray cluster is named; {HOW_TO_START}", field="launcher.address")


def reserved(params: RayParams) -> dict[str, float]:
    """What the run, or each process of it, reserves on a node, by the names that Ray has for it; memory in bytes."""
    memory = {"memory": float(round(params.memory_gib * (1 << 30)))} if params.memory_gib else {}
    gpus = {"GPU": params.gpus} if params.gpus else {}
    return {"CPU": params.cpus, **gpus, **memory, **custom(params)}


def too_large(params: RayParams, nodes: Sequence[Mapping[str, float]]) -> str:
    """That the nodes that are up have not what the run reserves, by what each has; empty if they have, or none is."""
    needed, count = reserved(params), params.processes
    hold = sum(int(min(node.get(name, 0) / amount for name, amount in needed.items())) for node in nodes)
    if not nodes or hold >= count:
        return ""
    gib = {"memory": float(1 << 30)}
    texts = (f"{name} {amount / gib.get(name, 1.0):g}{' GiB' * (name in gib)}" for name, amount in needed.items())
    said = ", ".join(texts)
    return f"the nodes that are up have not {count} times {said}" if count > 1 else f"no node that is up has {said}"


def custom(params: RayParams) -> dict[str, float]:
    """The resources that only this cluster has."""
    return {name: float(amount) for name, _, amount in (each.partition("=") for each in params.resources)}


def runtime_env(params: RayParams) -> dict[str, Any]:
    """What Ray prepares before the worker starts. Raises UserError if the user's file is not to be used."""
    found = _read(params.runtime_env) if params.runtime_env else {}
    variables = found.get("env_vars") or {}
    if not isinstance(variables, Mapping) or not all(isinstance(each, str) for each in variables.values()):
        raise _wrong(params.runtime_env, "env_vars should be names with texts")
    for name in variables:
        if _SECRET.search(name):
            raise _wrong(params.runtime_env, f"{name} looks like a secret, which Ray would show: {BY_NAME}")
    named = dict(each.split("=", 1) for each in params.env_vars)
    return {**found, "env_vars": {**variables, **named}}


def _read(path: str) -> dict[str, Any]:
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _wrong(path, f"it cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise _wrong(path, "it should be one JSON object")
    if "working_dir" in found:
        raise _wrong(path, "working_dir is not used, since the worker works in the run's folder; remove it")
    return found


def _wrong(path: str, why: str) -> UserError:
    return UserError(f"launcher.runtime_env: {path}: {why}", field="launcher.runtime_env")
