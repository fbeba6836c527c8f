"""Two thousand wild calls of every handler: none crashes, each is answered."""

from __future__ import annotations

from collections.abc import Iterator

from figures import Figure
from studio_in_a_browser import server
from wild_calls import Wild

TIMES = 2000


def measure() -> Iterator[Figure]:
    """Nothing is started meanwhile, so that only the handlers are measured."""
    with server() as made:
        wrong = Wild(made).call_all(TIMES)
        said = made.log.read_text()
        answers = made.request("/")[0] == 200
    print("\n".join(wrong[:5]), said[-2000:])
    crashes = said.count("Traceback") + said.count("a handler failed")
    yield Figure(f"crashes logged in {TIMES} wild calls of every handler", crashes, "crashes", 0)
    yield Figure("wild calls not answered with a sentence", len(wrong) + (not answers), "calls", 0)
