"""Starts workers on another machine that has the studio installed, by this system's `ssh` and `rsync`.

The worker there is one of that machine's own `local` launcher, so it goes on when the connection ends. Without a shared
folder, data and models are carried there once, by their content, and what the worker writes is brought back each time
that the supervisor asks whether it runs.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from engine import launchers, requeued
from engine.errors import MissingDependency, OutsideFailure, UserError
from engine.fingerprint import code_version
from engine.launchers.brought import OURS, THERE, Bringing, Link, lost, read_link, write_link
from engine.launchers.carried import items_of, with_paths
from engine.launchers.host import FIELD, HASHED_S, Host, Unreachable
from engine.launchers.local import ALL, Devices
from engine.launchers.named import Variable
from engine.launchers.priced import Priced
from engine.params import Place, setting, shown
from engine.rundir import RunDir
from engine.spec import Spec
from engine.whole_files import write_whole

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}(@[A-Za-z0-9_][A-Za-z0-9_.-]{0,252})?")
HOST = "launcher.host"  # the setting
RETRY_S, GIVE_UP_S = 5.0, 600.0  # where a link is cut while a run is being started


def _host(text: str) -> str:
    if text and not _HOST.fullmatch(text):
        raise ValueError(f"should be a host of ssh's configuration, such as gpu1 or me@gpu1 (got {shown(text)})")
    return text


def _plain(text: str) -> str:
    if text.startswith("-") or not text.isprintable() or set(text) & set(" '\"\\"):
        raise ValueError(f"should be a path without spaces and quotes (got {shown(text)})")
    return text


class Ssh:
    """A machine behind ssh, with a studio of the same version."""

    name: ClassVar[str] = "ssh"

    class Params(Priced):
        """Which machine, and where the studio and its runs are there."""

        name: Literal["ssh"] = "ssh"
        host: Annotated[str, AfterValidator(_host)] = setting("", "as ssh's configuration calls it: gpu1, or me@gpu1")
        python: Annotated[str, AfterValidator(_plain)] = setting(
            "python3", "the Python there that has the studio, such as repair-studio/.venv/bin/python", min_length=1
        )
        folder: Annotated[str, AfterValidator(_plain)] = setting(
            "repair-studio-runs", "for runs, data and models there; relative to the home folder", min_length=1
        )
        shared: bool = setting(False, "the run's folder, data and models are seen there under the same paths")
        devices: Devices = setting(ALL, "of that machine: all, cpu, or numbers of GPUs, as 0 or 0,1", more=True)
        most: int = setting(1, "runs at a time on that machine", ge=1, le=1000, title="Most runs")
        every_s: float = setting(3.0, "between two looks at a run there", unit="s", more=True, ge=0.2, le=600)
        environment: tuple[Variable, ...] = setting(
            (),
            'names of variables whose values the worker gets, such as ["HF_TOKEN"]; they are stored nowhere',
            more=True,
        )
        config: Annotated[Place, AfterValidator(_plain)] = setting("", "ssh's configuration; empty: yours", more=True)

    params: Params

    def __init__(self, params: Params | None = None) -> None:
        self.params = params or self.Params()

    def check(self, spec: Spec) -> None:
        """Raises UserError without a host, and for a run whose folder would have to be seen from both sides."""
        if not self.params.host:
            raise UserError(
                "launcher.host: is empty, enter a host of ~/.ssh/config such as gpu1", field="launcher.host"
            )
        for program in ("ssh", *(() if self.params.shared else ("rsync",))):
            if shutil.which(program) is None:
                how = "apt install openssh-client rsync"
                raise MissingDependency(f"launcher: {program} is not installed here; on Debian or Ubuntu: {how}")
        if self.params.shared:
            return
        if spec.waits_for_people:
            raise UserError(
                f"launcher: a {spec.title.lower()} is asked through its folder, which is not shared with "
                f"{self.params.host}; choose local, or share the folder and set launcher.shared",
                field=FIELD,
            )
        if getattr(getattr(spec, "builder", None), "out", ""):
            raise UserError(
                f"builder.out: would be written on {self.params.host}; leave it empty, and the bugs come back beside "
                "the dataset",
                field="builder.out",
            )

    def room(self) -> Mapping[str, float]:
        return {self._resource: float(self.params.most)}

    def needs(self) -> Mapping[str, float]:
        """One of the runs that the host may have at a time; nothing of this machine."""
        return {self._resource: 1.0}

    def submit(self, run_dir: Path, environment: Mapping[str, str]) -> str:
        """Carry what is missing there, and start the worker; one that an earlier attempt has started is taken over.

        Raises UserError where waiting does not help, OutsideFailure if the host is not reached for GIVE_UP_S seconds,
        or if a stop is asked for meanwhile, also while it is being carried (`requeued.ask_to_stop`).
        """
        requeued.begin(run_dir)
        write_link(run_dir, replace(read_link(run_dir), why="", since=0.0))  # of an earlier worker
        variables = {name: os.environ[name] for name in self.params.environment if name in os.environ}
        deadline = time.monotonic() + GIVE_UP_S
        while not requeued.is_asked_to_stop(run_dir):
            try:
                return self._submitted(RunDir(run_dir), {**variables, **environment})
            except Unreachable as error:
                if error.is_final:
                    raise UserError(f"launcher.host: {error}; try: ssh {self.params.host}", field=FIELD) from None
                if time.monotonic() > deadline:
                    raise OutsideFailure(f"{error}; resume the run when it can be") from None
                write_link(run_dir, lost(read_link(run_dir), error))
                time.sleep(RETRY_S)
        raise OutsideFailure(f"it was stopped while {self.params.host} could not be reached")

    def starting(self, run_dir: Path) -> str:
        why = read_link(run_dir).why
        return f"{why}; it is tried again" if why else f"carrying what it needs to {self.params.host}"

    def find(self, run_dir: Path) -> str:
        """Raises ConnectionError."""
        if not (there := self._there(run_dir)):
            return ""
        told = self._told("find", folder=there)
        return _handle(run_dir, there, told["worker"]) if told["worker"] else ""

    def is_alive(self, handle: str) -> bool:
        """Bring back what is new, and say whether the worker runs; it does where its machine is not reached.

        Raises OSError if what came cannot be written.
        """
        run, there, worker = _parts(handle)
        return self._bringing(run, there).look(worker, self.params.every_s).is_alive

    def interruption(self, handle: str) -> str:
        run, _, worker = _parts(handle)
        link = read_link(run)
        return link.interruption if link.worker == worker else ""

    def place(self, handle: str) -> launchers.Place:
        """The host and the folder of a worker there, and why it is not reached, if it is not just now."""
        run, there, _ = _parts(handle)
        why = read_link(run).why
        return launchers.Place(f"{self.params.host}:{there}" + (f" ({why})" if why else ""))

    def stop(self, handle: str, run_dir: Path, *, force: bool) -> None:
        """Raises ConnectionError; then it has to be asked again."""
        _, there, worker = _parts(handle)
        self._told("stop", folder=there, worker=worker, force=force)

    def _told(self, verb: str, **request: Any) -> dict[str, Any]:
        """What the host says of a worker that may run there. Raises ConnectionError, whatever is wrong there just now.

        A studio there that is being replaced says nothing about the worker, which goes on meanwhile.
        """
        try:
            return self._host.ask(verb, **request)[0]
        except (UserError, OutsideFailure) as error:
            raise ConnectionError(str(error)) from error

    def remover(self, run_dir: Path) -> Callable[[], None] | None:
        there = "" if self.params.shared else self._there(run_dir)
        return partial(self._remove, there) if there else None

    def _remove(self, there: str) -> None:
        self._host.ask("remove", folder=there, home=self.params.folder)

    def hello(self) -> dict[str, Any]:
        """What the host says of itself (`engine.launchers.remote.hello`). Raises Unreachable and UserError."""
        told, _ = self._host.ask("hello", folder=self.params.folder)
        return told

    def examined(self) -> tuple[bool, str]:
        """Whether runs can be started there now, and what the machine has, or why they cannot."""
        try:
            if not self.params.host:
                raise UserError("name one: --set launcher=ssh --set launcher.host=HOST")
            told, here = self.hello(), code_version()
        except (Unreachable, UserError, OutsideFailure) as error:
            return False, str(error)
        if told["version"] != here:
            return False, f"Repair Studio {told['version']} there, and {here} here; install the same on both"
        if not told["has_rsync"] and not self.params.shared:
            return False, "it has no rsync; install it there, or share the folder and set launcher.shared"
        has = f"{told['cores']} cores, {', '.join(told['gpus']) or 'no GPU'}"
        return True, f"Repair Studio {here} as here; {has}; {told['free_bytes'] / (1 << 30):.0f} GiB free"

    @property
    def _resource(self) -> str:
        return f"host {self.params.host}"

    @property
    def _host(self) -> Host:
        return Host(self.params.host, self.params.python, self.params.config)

    def _bringing(self, run: Path, there: str) -> Bringing:
        return Bringing(self._host, there, RunDir(run), self.params.shared)

    def _there(self, run_dir: Path) -> str:
        if self.params.shared:
            return str(run_dir)
        try:
            return str(json.loads((run_dir / THERE).read_text(encoding="utf-8"))["folder"])
        except FileNotFoundError:
            return ""

    def _submitted(self, run: RunDir, environment: Mapping[str, str]) -> str:
        home = self._checked()
        there, values = str(run.path), {}
        if not self.params.shared:
            there = self._there(run.path) or f"{home}/runs/{run.path.name}-{secrets.token_hex(6)}"
            write_whole(run.path / THERE, {"folder": there})
            values = self._carried(run, there)
        told, _ = self._host.ask(
            "start", folder=there, devices=self.params.devices, environment=dict(environment), **values
        )
        write_link(run.path, Link(told["worker"]))
        return _handle(run.path, there, told["worker"])

    def _checked(self) -> str:
        """The home folder on the host. Raises UserError if its studio is of another version."""
        told = self.hello()
        here, other = code_version(), told["version"]
        if here.partition("+")[0] != other.partition("+")[0]:
            raise UserError(
                f"launcher.host: {self.params.host} has Repair Studio {other}, and here is {here}; install the same "
                "version on both",
                field=FIELD,
            )
        if not told["has_rsync"] and not self.params.shared:
            raise UserError(
                f"launcher.host: {self.params.host} has no rsync; install it there, or share the folder and set "
                "launcher.shared",
                field=FIELD,
            )
        return str(told["home"])

    def _carried(self, run: RunDir, there: str) -> dict[str, Any]:
        """The spec and the inputs for the other side, where all that they refer to is now. Raises as `Host.ask`."""
        folder = Path(there)
        home = str(folder.parents[1])
        spec, inputs = {**run.spec(), "launcher": {"name": "local"}}, asdict(run.inputs())
        named = {name: inputs[name] for name in ("model", "dataset")}
        model = named["model"] or {}
        items = items_of([spec, named], run.path, [model.get("path", ""), model.get("base", "")])
        contents = {item: item.digest() for item in items}
        by_content = {content: item for item, content in contents.items()}
        host = self._host.until(partial(requeued.is_asked_to_stop, run.path))  # a model may take hours
        told, _ = host.ask("prepare", home=home, key=folder.name, digests=list(by_content))
        for content, coming in told["missing"].items():
            item = by_content[content]
            host.carry(item, coming)
            host.ask("keep", home=home, content=content, coming=coming, parts=item.parts, wait_s=HASHED_S)
        if not told["is_complete"]:  # a link that was cut may have left a part of its files there
            host.fill(run.path, there, OURS)
        elif not told["worker"]:  # what an earlier one has written is brought back before the next one writes
            self._bringing(run.path, there).all(Link())
        (run.path / "ending.json").unlink(missing_ok=True)  # of an earlier worker
        paths = {item.path: f"{home}/data/{content}/{item.parts[0]}" for item, content in contents.items()}
        return {"spec": with_paths(spec, paths), "inputs": {**inputs, **with_paths(named, paths)}}


def _handle(run: Path, there: str, worker: str) -> str:
    return json.dumps({"run": str(run), "there": there, "worker": worker})


def _parts(handle: str) -> tuple[Path, str, str]:
    values = json.loads(handle)
    return Path(values["run"]), str(values["there"]), str(values["worker"])
