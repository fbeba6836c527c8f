"""`python -m engine.work RUN_DIR`: one worker, which does one run and says in the run's folder how it ended.

Exit code 0: done; 1: failed, the last event says why; 143: stopped by SIGTERM.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

from engine.errors import OutsideFailure, UserError
from engine.fingerprint import library_versions
from engine.rundir import HEARTBEAT_S, STOPPED, RunDir
from engine.specs import parse
from engine.temporary import sweep
from engine.work.fetch import fetched
from engine.work.inputs import recorded
from engine.work.trouble import cause_of

log = logging.getLogger(__name__)


def main(folder: Path) -> int:
    """Do the run in `folder`; returns the exit code."""
    settle()
    run = RunDir(folder)
    try:
        with run.held(), heartbeat(run):
            sweep()
            return work(run)
    except OutsideFailure as error:  # another worker holds the run: what it says there is not ours to touch
        sys.stderr.write(f"{error}\n")
        return 1


def work(run: RunDir) -> int:
    """Do the run, whose lock is held, and emit its last state."""
    try:
        run.reserve_ending()
        spec = spec_of(run)
        run.emit("state", state="running", versions=library_versions())
        log.info("%s run in %s, process %d", spec.kind, run.path, os.getpid())
        module, _, name = spec.worker.partition(":")
        inputs = recorded(fetched(run.inputs(), run, spec.kind), run, spec.kind)
        result = getattr(import_module(module), name)(spec, inputs, run)
        run.emit("state", state="done", result=result)
        run.release_ending()
        log.info("done: %s", ", ".join(f"{name} {value}" for name, value in result.items() if is_short(value)))
        return 0
    except SystemExit:
        run.end("stopped")
        return STOPPED
    except Exception as error:
        cause, text = cause_of(error, run.path)
        with suppress(OSError):  # the log may be on the full disk
            if cause not in ("user", "outside", "disk_full"):
                traceback.print_exc()
            sys.stderr.write(f"a fault of Repair Studio: {text}\n" if cause == "bug" else f"{text}\n")
        run.end("failed", error=text, cause=cause)
        return 1


@contextmanager
def heartbeat(run: RunDir) -> Iterator[None]:
    """While it lasts, a thread shows every HEARTBEAT_S seconds that this process is running."""
    ended = threading.Event()

    def beat() -> None:
        while True:
            with suppress(OSError):  # a full disk, or a folder that was removed: the work itself finds out
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
    """The run's spec. Raises UserError naming the file and the field that is wrong, OutsideFailure for a torn file."""
    try:
        return parse(run.spec())
    except UserError as error:
        raise UserError(f"{run.path / 'spec.json'}: {error}", field=error.field) from None


def settle() -> None:
    """Before any library is imported: quiet, one thread a core, and SIGTERM ends the run at once."""
    cores = str(len(os.sched_getaffinity(0)))
    for name, value in {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "true",
        "OMP_NUM_THREADS": cores,
        # A thread that waits for another sleeps. Where it waited in a loop and other processes needed the cores too,
        # training went from 600 to 200 tokens a second (measured on two cores with a load of five).
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
    }.items():
        os.environ.setdefault(name, value)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    # a library telling another one what it will drop some day is no news for whoever reads a run's log
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(transformers|peft|trl)\b")
    for name in ("httpx", "filelock", "fsspec"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("bitsandbytes.backends.cpu.ops").addFilter(_is_news)
    signal.signal(signal.SIGTERM, _stop)


def _is_news(record: logging.LogRecord) -> bool:
    """Not that bitsandbytes found no faster kernel for a CPU, which it then does without."""
    return not record.getMessage().startswith("Failed to load CPU gemm_4bit_forward")


def is_short(value: object) -> bool:
    """Whether a part of a result fits on a line of the log."""
    return not isinstance(value, dict | list) and len(str(value)) <= 80


def _stop(number: int, frame: FrameType | None) -> Any:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: the last event must be whole
    raise SystemExit(STOPPED)


if __name__ == "__main__":
    code = main(Path(sys.argv[1]).resolve())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads that still judge a patch must not keep a stopped worker alive; their sandboxes die with it
