"""The functions of a folder of source code that are short enough to learn from, without comments and blank lines."""

from __future__ import annotations

import os
import stat
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from os.path import commonpath
from pathlib import Path

from engine.benchmarks.runners.project_files import FOREIGN
from engine.builders.mutation.choice import parses_python
from engine.builders.source_files import LONGEST_FILE, TEST_FOLDERS
from engine.errors import UserError
from engine.languages import language as language_called
from engine.languages.source import Source

# Not library code: tests, demonstrations, other people's packages, and code generated or bound to one platform.
_OF_PYTHON = {"idlelib", "idle_test", "lib2to3", "turtledemo", "ensurepip", "pydoc_data", "encodings"}
_NOT_SOURCE = FOREIGN | TEST_FOLDERS | _OF_PYTHON
_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


def source_root(folder: str, language: str) -> Path:
    """The folder, absolute; where none is named, the standard library of this Python. Raises UserError."""
    if not folder:
        if language != "python":
            raise UserError(
                f"no folder is named; name a folder of {language.capitalize()} source", field="builder.folder"
            )
        return Path(sysconfig.get_path("stdlib"))
    root = Path(folder)
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "does not exist"
        raise UserError(f"the folder {str(root)!r} {what}; name a folder of source code", field="builder.folder")
    if not os.access(root, os.R_OK | os.X_OK):
        raise UserError(f"the folder {str(root)!r} may not be read; allow it or choose another", field="builder.folder")
    return root.resolve()


def source_files(root: Path, language: str) -> list[Path]:
    """The files of the language below a folder that are neither tests nor other people's. Raises UserError if none."""
    files, ending = [], language_called(language).ending
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(set(inner) - _NOT_SOURCE)
        files += [Path(folder, name) for name in sorted(names) if name.endswith(ending)]
    if not files:
        raise UserError(
            f"there is no {language.capitalize()} file (*{ending}) under {str(root)!r}", field="builder.folder"
        )
    return files


def common_folder(files: Sequence[Path]) -> Path:
    """The innermost folder that holds all of these files."""
    return Path(commonpath([file.parent for file in files]))


def project_of(file: Path, common: Path) -> str:
    """The part of the source that a file belongs to: a folder of the common one, or a file there by itself."""
    return file.relative_to(common).parts[0].removesuffix(file.suffix)


def syntax(language: str) -> str:
    """The language with its version, as a reason names it."""
    return f"Python {_VERSION}" if language == "python" else language.capitalize()


def functions_of(
    file: Path, path: str, language: str, min_lines: int, max_lines: int, lose: Callable[[str, str], None]
) -> Iterator[tuple[str, str, str]]:
    """Name, code and location ("path:line") of each function of an allowed length; the others go to `lose`.

    `path`: what the file is called. The code has no comments, no docstring and no blank lines, and begins at column 0.
    """
    try:
        found = file.lstat()
        if stat.S_ISLNK(found.st_mode):  # it may lead anywhere, and some builders send what they read to a service
            return lose("files are links", path)
        if not stat.S_ISREG(found.st_mode):
            return lose("files are no ordinary files", path)
        if found.st_size > LONGEST_FILE:
            return lose(f"files longer than {LONGEST_FILE >> 20} MiB", path)
        text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        return lose("files are not UTF-8", path)
    except OSError as error:
        return lose("files cannot be read", f"{path}: {error.strerror}")
    read = Source(text, language)
    if read.has_error and (language != "python" or not parses_python(text)):
        return lose(f"files do not parse as {syntax(language)}", path)
    for function in read.functions:
        code = read.bare_function(function)
        code += "" if code.endswith("\n") else "\n"
        lines, where = code.count("\n"), f"{path}:{function.span.start}"
        if lines < min_lines:
            lose(f"functions shorter than {min_lines} lines", where)
        elif lines > max_lines:
            lose(f"functions longer than {max_lines} lines", where)
        else:
            yield function.name, code, where
    return None
