"""How a benchmark asks for code that is still to be written, and where an answer to that ends."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """The prompt of such a bug, and what of an answer counts."""

    prompt: str  # exactly what a model that writes from left to right reads
    stops: tuple[str, ...] = ()  # an answer is cut before the first of these
    end: str = ""  # what an answer ends with that was meant to end there; it is cut nowhere else then
    functions: int | None = None  # so many may begin at column 0 of an answer, the next one is cut off; None: any

    def cut(self, answer: str) -> str:
        """What of an answer counts."""
        if self.end and self.end in answer:
            return answer.partition(self.end)[0]
        found = [at for stop in self.stops if (at := answer.find(stop)) >= 0]
        if self.functions is not None:
            found += [match.start() for match in re.finditer(r"^def ", answer, re.MULTILINE)][self.functions :]
        cut = answer[: min(found)] if found else answer
        return cut if cut.endswith("\n") or not cut else f"{cut}\n"
