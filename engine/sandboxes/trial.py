"""A minimal real run: checks that a sandbox accepts a file, runs a system tool on it and returns the result."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from engine.sandboxes import Limits, Sandbox


def trial(sandbox: Sandbox) -> str:
    """Why `sandbox` does not work here; empty where it does."""
    nonce = secrets.token_bytes(16)
    ran = sandbox.run(["/bin/cp", "in", "out"], {"in": nonce}, Limits(), results=["out"])
    if ran.results.get("out") == nonce and ran.exit_code == 0:
        return ""
    said = ran.detail or ran.stderr.decode(errors="replace").strip()[:300]
    return f"a trial run failed: {said or f'{ran.ended}, exit code {ran.exit_code}'}"


def named(argv: Sequence[str], paths: Mapping[str, str]) -> list[str]:
    """`argv` with each `{name}` of `paths` replaced; other braces stay as they are."""
    replaced = list(argv)
    for name, path in paths.items():
        replaced = [argument.replace(f"{{{name}}}", path) for argument in replaced]
    return replaced
