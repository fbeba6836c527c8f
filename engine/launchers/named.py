"""Names that launchers share: of a run's jobs in a scheduler, and of variables whose values a worker gets."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def name_of(run_dir: Path) -> str:
    """What a run's jobs are called, "repair-studio-7-3f0c2a91d4be": the run's number, and its folder's hash."""
    digest = hashlib.sha256(os.fsencode(run_dir.resolve())).hexdigest()[:12]
    return f"repair-studio-{re.sub(r'[^A-Za-z0-9]', '', run_dir.name)[:20]}-{digest}"


def is_variable(text: str) -> bool:
    """Whether an environment variable may have this name."""
    return bool(_VARIABLE.fullmatch(text))


def _variable(text: str) -> str:
    if not is_variable(text):
        raise ValueError(f"should be the name of an environment variable, and not its value (got {len(text)} letters)")
    return text


Variable = Annotated[str, AfterValidator(_variable)]
