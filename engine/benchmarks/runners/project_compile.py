"""Compiles a project's files once for all its copies: modules as Python does, tests with pytest's rewritten assertions.

`python3 project_compile.py TOOLS PROJECT BYTES`. Nothing of the project is run, and no more memory is taken than BYTES:
a file that needs more is left as it is, and compiled when it is run. Rewriting a file of tests takes longer than
running most of its tests; pytest finds the result, by a hash of the source, beside every copy of the file.
"""

from __future__ import annotations

import compileall
import os
import py_compile
import resource
import sys
from pathlib import Path

TYPE_CHECKING = False  # as in `typing`, which is not imported for this
if not TYPE_CHECKING:
    sys.path[:0] = [sys.argv[1]]
from _pytest.assertion import rewrite  # noqa: E402


def main(project: str, most_bytes: int) -> None:
    """Files that are no Python, as some tests have, are left as they are."""
    resource.setrlimit(resource.RLIMIT_AS, (most_bytes, most_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    compileall.compile_dir(project, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    for folder, _, names in os.walk(project):
        for name in names:
            if name.endswith(".py") and (name.startswith("test_") or name.endswith(("_test.py", "conftest.py"))):
                compile_test(Path(folder, name))


def compile_test(file: Path) -> None:
    """Write pytest's own compiled file of a file of tests."""
    try:
        digest, code = rewrite._rewrite_test(file, None)  # type: ignore[arg-type]  # only asked for what is unusual
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    compiled = rewrite.get_cache_dir(file) / f"{file.name[:-3]}{rewrite.PYC_TAIL}"
    compiled.parent.mkdir(exist_ok=True)
    with compiled.open("wb") as written:
        rewrite._write_pyc_fp(written, digest, code)


if __name__ == "__main__":
    main(sys.argv[2], int(sys.argv[3]))
