"""`python -m engine.work RUN_DIR`: one worker, which does one run and writes the result to the run's folder.

Exit code 0: done; 1: failed, with the reason in the last event; 143: stopped by SIGTERM.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from engine import ranks, requeued
from engine.errors import OutsideFailure, UserError
from engine.events import State
from engine.rundir import HEARTBEAT_S, STOPPED, Inputs, RunDir
from engine.specs import SplitSpec, parse
from engine.temporary import sweep
from engine.work.fetch import fetch_model
from engine.work.inputs import record_inputs
from engine.work.lead import lead
from engine.work.trouble import cause_of
from engine.work.unseen import ended_too
from engine.work.watched import end_with_leader

log = logging.getLogger(__name__)


def main(folder: Path) -> int:
    """Do the run in `folder`; returns the exit code."""
    ranks.begin()
    own = prepare_process()
    run = ranks.folder_of(folder)
    try:
        with run.held(), heartbeat(run):
            sweep()
            return work(run, own)
    except OutsideFailure as error:  # another worker holds the run, so no event may be written here
        sys.stderr.write(f"{error}\n")
        return 1


def work(run: RunDir, own: Iterable[str] = ()) -> int:
    """Do the run, whose lock is held, and emit its last state; `own`: variables that this process has set itself."""
    try:
        run.reserve_ending()
        spec = spec_of(run)
        leads = isinstance(spec, SplitSpec) and spec.shards > 1 and run.inputs().part.is_all
        run.emit(State("running", cards=0, workers=0) if leads else State("running", cards=ranks.cards()))
        log.info("%s run in %s, process %d", spec.kind, run.path, os.getpid())
        module, _, name = spec.worker.partition(":")
        with ended_too(spec, run) if leads else nullcontext():
            inputs = inputs_of(run, spec.kind)
            if leads:
                for name in own:  # shards choose theirs, each by its own machine
                    os.environ.pop(name, None)
            result = (lead if leads else getattr(import_module(module), name))(spec, inputs, run)
        run.emit(State("done", result))
        run.release_ending()
        log.info("done: %s", ", ".join(f"{name} {value}" for name, value in result.items() if is_short(value)))
        return 0
    except SystemExit:
        if ranks.is_cut_off(run):
            return ranks.CUT_OFF
        if failed := ranks.first_failure(run):  # the launcher ends all processes if one of them fails
            run.end("failed", error=failed.error, cause=failed.cause)
            return 1
        if requeued.goes_on(run.path):
            log.info("asked to end by the scheduler, and by no user: this run is not over")
        else:
            run.end("stopped")
        return STOPPED
    except Exception as error:
        cause, text = cause_of(error, run.path)
        with suppress(OSError):  # the log may be on the full disk
            if cause not in ("user", "outside", "does_not_fit", "disk_full"):
                traceback.print_exc()
            sys.stderr.write(f"a bug in Repair Studio: {text}\n" if cause == "bug" else f"{text}\n")
        if cause == "bug" and (
            failed := ranks.first_failure(run, ranks.GONE_S)
        ):  # what it noticed is only that another is gone
            text, cause = failed.error, failed.cause
        if cause in ("bug", "killed") and ranks.is_cut_off(run, 2 * ranks.SILENT_S):
            log.info("the node of another process is lost: this run is not over")
            return ranks.CUT_OFF
        run.end("failed", error=text, cause=cause)
        return 1


def inputs_of(run: RunDir, kind: str) -> Inputs:
    """The inputs with models that are folders, recorded; by one process where several train together."""
    if ranks.own():
        return ranks.wait_for_inputs(run)
    inputs = record_inputs(fetch_model(run.inputs(), run, kind), run, kind)
    if ranks.count() > 1:
        (run.path / ranks.READY).touch()
    return inputs


@contextmanager
def heartbeat(run: RunDir) -> Iterator[None]:
    """Run a thread that updates the heartbeat every HEARTBEAT_S seconds."""
    ended = threading.Event()

    def beat() -> None:
        while True:
            with suppress(OSError):  # a full disk or a removed folder: the work itself will report it
                run.beat()
            if ended.wait(HEARTBEAT_S):
                return

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def spec_of(run: RunDir) -> Any:
    """The run's spec. Raises UserError naming the file and the wrong field, OutsideFailure if it is damaged."""
    try:
        return parse(run.spec())
    except UserError as error:
        raise UserError(f"{run.path / 'spec.json'}: {error}", field=error.field) from None


def prepare_process() -> list[str]:
    """Set up the process before any library is imported: log level, one thread per core, SIGTERM ends the run.

    Returns the names of the environment's variables that it has set.
    """
    cores = str(len(os.sched_getaffinity(0)))
    variables = {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "true",
        "OMP_NUM_THREADS": cores,
        # Waiting threads sleep. Waiting in a loop slows training down from 600 to 200 tokens a second when other
        # processes need the cores too (measured on two cores with a load of five).
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
    }
    own = [name for name in variables if name not in os.environ]
    os.environ.update({name: variables[name] for name in own})
    logging.basicConfig(
        level=logging.WARNING if ranks.own() else logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S"
    )
    # warnings of one library about another are of no use to the reader of a run's log
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(transformers|peft|trl)\b")
    for name in ("httpx", "filelock", "fsspec"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("bitsandbytes.backends.cpu.ops").addFilter(_is_useful)
    # a scheduler may signal every process of a training; the first one tells the others when to end
    is_told = ranks.own() > 0 and requeued.STARTS_AGAIN in os.environ
    signal.signal(signal.SIGTERM, signal.SIG_IGN if is_told else _stop)
    requeued.notice_signals()
    end_with_leader()
    return own


def _is_useful(record: logging.LogRecord) -> bool:
    """False for bitsandbytes' message that it has no faster kernel for this CPU, which changes nothing."""
    return not record.getMessage().startswith("Failed to load CPU gemm_4bit_forward")


def is_short(value: object) -> bool:
    """Whether a part of a result says something, and fits on a line of the log."""
    return value not in (None, "") and not isinstance(value, dict | list) and len(str(value)) <= 80


def _stop(number: int, frame: FrameType | None) -> Any:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second signal must not interrupt the last event
    raise SystemExit(STOPPED)


if __name__ == "__main__":
    code = main(Path(sys.argv[1]).resolve())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # without waiting for threads that still test patches; their sandboxes end with this process
