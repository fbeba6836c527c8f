"""A program that runs inside the sandbox: compiles a patched C file with its drivers, and says what each case wrote.

`python3 c_harness.py NONCE TARGET GCC`. The cases are in `cases.json`: name -> [arguments, standard input]. What they
should write is not here, so the program that is tested cannot find it, whatever it does to this one. For each case
`wrote NAME STATUS DIGEST BEGINNING` is reported, beside the words of `report`. One that writes more than any case may
expect is killed; its status is `output_cap`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryFile
from urllib.parse import quote_plus

# Objects without link-time plug-ins or files elsewhere; -pipe and TMPDIR, because only this folder can be written to.
FLAGS = ("-std=gnu11", "-O1", "-pipe", "-I.")
OUTPUT_CAP = "output_cap"
MOST_BYTES = 1 << 20  # of one case's output; what is expected has 100,000 characters at most
SHOWN = 200  # bytes of what a case wrote


def main() -> None:
    """Compile once, run every case in a process of its own; ends before the cases if something does not compile."""
    nonce, target, gcc = sys.argv[1:]
    os.environ |= {"TMPDIR": os.getcwd(), "LC_ALL": "C"}

    def say(*words: object) -> None:
        os.write(1, (" ".join([nonce, *(quote_plus(str(word)) for word in words)]) + "\n").encode())

    say("ready")
    began = time.perf_counter()
    sources = dict.fromkeys([target, *sorted(path.name for path in Path().glob("*.c"))])
    objects = [f"{number}.o" for number in range(len(sources))]
    steps = [[gcc, *FLAGS, "-c", f"./{source}", "-o", made] for source, made in zip(sources, objects, strict=True)]
    is_compiled = all(_compiles(step) for step in [*steps, [gcc, "-o", "program", *objects, "-lm"]])
    say("took", "compile", f"{time.perf_counter() - began:.6f}")
    if not is_compiled:
        return
    say("compiled")
    began = time.perf_counter()
    for name, (arguments, given) in json.loads(Path("cases.json").read_text(encoding="utf-8")).items():
        status, wrote = _ran(["./program", *arguments], given.encode())
        if status == OUTPUT_CAP:
            say(OUTPUT_CAP)
        beginning = wrote[:SHOWN].decode("utf-8", "replace")
        say("wrote", name, status, blake2b(wrote, digest_size=16).hexdigest(), beginning)
    say("took", "all_tests", f"{time.perf_counter() - began:.6f}")
    say("done")


def _compiles(command: list[str]) -> bool:
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=2).returncode == 0


def _ran(command: list[str], given: bytes) -> tuple[int | str, bytes]:
    """The status, and what was written without the white space at its end; never more than MOST_BYTES is held."""
    with TemporaryFile(dir=".") as stdin:
        stdin.write(given)
        stdin.seek(0)
        with subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=2) as program:
            assert program.stdout is not None
            wrote = program.stdout.read(MOST_BYTES + 1)
            if len(wrote) > MOST_BYTES:
                program.kill()
                return OUTPUT_CAP, wrote
    return program.returncode, wrote.rstrip()


if __name__ == "__main__":
    main()
