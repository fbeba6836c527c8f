"""One .zip that repeats a run: its folder's records, its patches, its figures, and how to go on from them.

The same run gives the same bytes with the same version of the program: names are sorted, and all times are those of
the zip format's first day (APPNOTE.TXT of PKWARE, 4.4.6).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from io import BufferedWriter, RawIOBase
from pathlib import Path
from typing import IO, Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from engine.attempts import at, strategy_of
from engine.errors import OutsideFailure, UserError
from engine.exchange.exported import Exported, Form
from engine.exchange.own import write_jsonl
from engine.exchange.reading import recognised
from engine.fingerprint import code_version, library_versions
from engine.reading import open_regular
from engine.rundir import RunDir
from engine.scoring import Figures
from engine.specs import overrides_of, parse

FIRST_DAY = (1980, 1, 1, 0, 0, 0)
LEVEL = 1  # of zlib, the fastest: events are most of it, and shrink to a few per cent
PIECE = 1 << 20
RECORDS = ("spec.json", "inputs.json", "events.jsonl")  # what makes a folder that can be taken in
VERDICTS = "artifacts/verdicts.jsonl"  # of a run that tested the patches of a file
TESTED = "patches-tested"  # that file itself, with its own ending


def write(run: Exported, file: BinaryIO) -> None:
    """Raises OutsideFailure if the run's folder cannot be read."""
    facts = run.run
    copied = _copied(facts.folder, str(facts.spec.get("file", "")))
    texts = {
        "README.md": _readme(run, copied),
        "environment.json": _json(_environment(facts.folder)),
        "figures.json": _json(figures_of(run)),
    }
    with ZipFile(file, "w") as made:
        for name in sorted([*copied, *texts, "patches.jsonl"]):
            if name in texts:
                made.writestr(_entry(name), texts[name].encode("utf-8", "replace"))
                continue
            with made.open(_entry(name), "w", force_zip64=True) as part:
                if name in copied:
                    part.writelines(_pieces(copied[name]))
                else:
                    with ThreadPoolExecutor(1) as thread, BufferedWriter(_InThread(part, thread), PIECE) as pieces:
                        write_jsonl(run, pieces)


def figures_of(run: Exported) -> dict[str, Any]:
    """The figures of a run and of each kind of fault, as plain values."""
    strategy = {"strategy": strategy_of(run.run.spec)} if run.run.has_attempts else {}
    return {
        **strategy,
        **_plain(run.figures()),
        "by_kind": {kind: _plain(each) for kind, each in run.by_kind().items()},
    }


def _plain(figures: Figures) -> dict[str, Any]:
    values = asdict(figures)
    return {**values, "plausible_at": {str(k): share for k, share in values["plausible_at"].items()}}


def _environment(folder: Path) -> dict[str, Any]:
    """With what the run was made, as it recorded it, and with what the bundle is."""
    inputs = RunDir(folder).inputs()
    names = ("code_version", "versions", "machine", "weights_hash", "base_hash", "dataset_hash")
    bundled = {"code_version": code_version(), "versions": library_versions()}
    return {"run": {name: getattr(inputs, name) for name in names}, "bundle": bundled}


def _copied(folder: Path, tested: str) -> dict[str, Path]:
    """Name in the bundle -> the file that is copied. Raises OutsideFailure where one that is needed is missing."""
    found = {name: folder / name for name in RECORDS}
    for name, path in found.items():
        if not path.is_file():
            raise OutsideFailure(f"{folder} has no {name}, so the run cannot be bundled")
    if (folder / VERDICTS).is_file():
        found[VERDICTS] = folder / VERDICTS
    if tested and _holds_patches(Path(tested)):
        found[TESTED + Path(tested).suffix.lower()] = Path(tested).resolve()
    return found


def _holds_patches(path: Path) -> bool:
    """Whether it is a file of patches: the spec of a stranger's run may name any file of this machine."""
    try:
        return path.is_file() and bool(recognised(path))
    except (UserError, OSError):
        return False


def repeat_command(spec: Mapping[str, Any], tested: str) -> str:
    """The shell command, in the bundle's folder, that makes the run again; `tested`: the file of patches there."""
    made = parse(dict(spec))
    if made.kind == "benchmark":
        return shlex.join(["repair-studio", *made.verb.split(), "spec.json", "--wait"])
    words = ["repair-studio", *made.verb.split(), *([tested] if tested else [])]
    for override in overrides_of(made):
        if override.partition("=")[0] not in ("file", "name"):
            words += ["--set", override]
    return shlex.join(words)


def _readme(run: Exported, copied: Mapping[str, Path]) -> str:
    facts, inputs = run.run, RunDir(run.run.folder).inputs()
    tested = next((name for name in copied if name.startswith(TESTED)), "")
    shares = "\n".join(f"- {at(k, attempts=facts.has_attempts)}: {share.hits} of {share.total} bugs"
                       for k, share in run.figures().plausible_at.items())  # fmt: skip
    made = f"It was made with {inputs.code_version}." if inputs.code_version else ""
    model = f" The model has weights with the hash `{inputs.weights_hash}`." if inputs.weights_hash else ""
    return README.format(
        name=facts.name,
        made=f"{facts.model} on {facts.benchmark}. {made}{model}",
        shares=shares,
        command=repeat_command(facts.spec, tested),
        tested=f"- `{tested}`: the patches that were tested\n" if tested else "",
    )


README = """# {name}

{made}

{shares}

## Take in the results elsewhere

    unzip FILE.zip -d results
    repair-studio runs take-in results

The run is then listed with the same figures; nothing is run. The folder must stay where it is.

## Repeat it

In the unpacked folder:

    {command}

Paths in `spec.json` are those of the machine where the run was made: a model or benchmark that lies elsewhere is named
with `--set model=...` or `--set benchmark.folder=...`. What differs from then is said before it starts.

## Files

- `spec.json`, `inputs.json`, `events.jsonl`: the run's folder
- `patches.jsonl`: every patch with its verdict, a JSON object a line
{tested}- `figures.json`: plausible@k, in all and by kind of fault
- `environment.json`: versions and machine of the run, and of the program that wrote this file
"""


def _pieces(path: Path) -> Iterator[bytes]:
    with open(open_regular(path), "rb") as file:
        while piece := file.read(PIECE):
            yield piece


class _InThread(RawIOBase):
    """Writes each piece in a thread while the next one is made: compressing is a fifth of the work, without the GIL."""

    def __init__(self, file: IO[bytes], thread: ThreadPoolExecutor) -> None:
        self._file = file
        self._thread = thread
        self._before: Future[int] | None = None  # the piece that is being written; never more than one

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        """Raises what went wrong with the piece before."""
        copy = bytes(piece)  # the buffer is filled anew meanwhile
        self._wait()
        self._before = self._thread.submit(self._file.write, copy)
        return len(copy)

    def close(self) -> None:
        """Raises what went wrong with the last piece."""
        if not self.closed:
            super().close()
            self._wait()

    def _wait(self) -> None:
        if before := self._before:
            self._before = None
            before.result()


def _json(values: Mapping[str, Any]) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, FIRST_DAY)
    entry.compress_type, entry.create_system, entry.external_attr = ZIP_DEFLATED, 3, 0o644 << 16
    entry._compresslevel = LEVEL  # type: ignore[attr-defined]  # Python 3.13 calls it compress_level, and knows both
    return entry


FORM = Form(
    "bundle", ".zip", "Bundle", "all that repeats the run, or lists it in another home", write, is_of_whole=True
)
