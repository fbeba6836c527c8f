"""JUnit tests of other people as we run them: their time limits are by the clock, ours are of processor time."""

from __future__ import annotations

import re

LIMIT = re.compile(r"(@(?:org\.junit\.)?Test\s*\([^)]*?\btimeout\s*=\s*)(\d+)")
PATIENCE = 10  # on a machine at work a correct program waits for others; one that hangs meets the sandbox's own limit


def patient(tests: str) -> str:
    """`tests` with every limit by the clock, `@Test(timeout = 3000)`, raised tenfold."""
    return LIMIT.sub(lambda found: f"{found[1]}{PATIENCE * int(found[2])}", tests)
