"""Asks a service for one answer to each prompt, in order; each answer is kept, so that it is paid for once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar, Generic, TypeVar

from engine.builders import Funnel
from engine.builders.ledger import Ledger
from engine.builders.tables import NOT_UNICODE, SPECIAL
from engine.domain import Completion, Message, Model
from engine.errors import UserError
from engine.generators import NoAnswer
from engine.generators.bounded import TOKEN_BYTES
from engine.generators.endpoint import Endpoint
from engine.models.tokenizer import special_tokens
from engine.params import is_unicode, setting
from engine.representations import alpaca
from engine.scoring import money

COUNTED = "Asked of the service"  # the title of the table of answers and tokens
FAR_MORE = NoAnswer("the service wrote far more than it was asked for")
ROUND = 4  # prompts in a round, for each that is asked for at the same time


class ServiceParams(Endpoint.Params):
    """Which service is asked, and how."""

    writer: str = setting("", "by the service's name for it", title="Model that writes")
    form: alpaca.Form = setting("response", alpaca.FORMS)


P = TypeVar("P", bound=ServiceParams)


class Service:
    """One service with what it has answered so far."""

    def __init__(self, params: ServiceParams, seed: int, cache: Path | None, funnel: Funnel) -> None:
        """`cache`: a folder; None: answers are kept as long as this is."""
        self._params, self._seed, self._funnel = params, seed, funnel
        drawn = (params.writer, params.temperature, params.top_p, params.max_new_tokens, seed)
        about = _digest(repr(drawn))
        self._own = None if cache else TemporaryDirectory(prefix="answers-")
        self._ledger = Ledger((cache or Path(self._own.name if self._own else "")) / f"{about}.jsonl", about)
        self._endpoint: Endpoint | None = None
        funnel.counts[COUNTED] = dict.fromkeys(("answers", "known from before", "tokens read", "tokens written"), 0)

    @property
    def at_once(self) -> int:
        """Prompts in a round."""
        return self._params.parallel * ROUND

    def answers(self, prompts: Sequence[str]) -> Iterator[Completion | NoAnswer]:
        """One for each prompt, in their order. Raises UserError and OutsideFailure as `Endpoint`."""
        unknown = [prompt for prompt in dict.fromkeys(prompts) if self._ledger.get(_digest(prompt)) is None]
        refused: dict[str, NoAnswer] = {}
        asked = [(Message("user", prompt),) for prompt in unknown]
        for index, answer in self._open().generate(asked, 1) if asked else ():
            if isinstance(answer, NoAnswer):
                refused[unknown[index]] = answer
            elif len(answer[0].text) > TOKEN_BYTES * self._params.max_new_tokens:
                refused[unknown[index]] = FAR_MORE
            else:
                self._ledger.put(_digest(unknown[index]), [answer[0].text, answer[0].is_finished])
                self._count(answer[0].prompt_tokens, answer[0].n_tokens)
        self._funnel.counts[COUNTED]["known from before"] += len(prompts) - len(unknown)
        for prompt in prompts:
            if prompt in refused:
                yield refused[prompt]
            else:
                text, is_finished = self._ledger.get(_digest(prompt))
                yield Completion(text, is_finished=is_finished)

    def _open(self) -> Endpoint:
        if self._endpoint is None:
            self._endpoint = Endpoint(self._params)
            self._endpoint.load(Model(self._params.writer, "endpoint", ""), self._seed)
        return self._endpoint

    def _count(self, read: int | None, written: int | None) -> None:
        counts = self._funnel.counts[COUNTED]
        counts["answers"] += 1
        counts["tokens read"] += read or 0
        counts["tokens written"] += written or 0
        cost = money(
            counts["tokens written"], counts["tokens read"], self._params.written_price, self._params.prompt_price
        )
        if cost is not None:
            self._funnel.facts["cost"] = {"amount": round(cost, 6), "currency": self._params.currency}


class FromService(Generic[P]):
    """A builder whose data a service writes."""

    preparing: ClassVar[str] = "asking the service"

    def __init__(self, params: P) -> None:
        self.params = params
        self._cache: Path | None = None
        self._special: tuple[str, ...] = ()

    def cache_in(self, folder: Path) -> None:
        """Keep the answers there."""
        self._cache = folder

    def check_tokenizer(self, folder: Path) -> None:
        """What would become special tokens is left out; that in messages is found elsewhere."""
        self._special = special_tokens(folder)

    def unfit(self, *texts: str) -> str:
        """Why these texts are none to learn from; empty where they are."""
        if not all(map(is_unicode, texts)):
            return NOT_UNICODE
        return SPECIAL if any(token in text for token in self._special for text in texts) else ""

    def check(self) -> None:
        """Raises UserError if no model is named."""
        if not self.params.writer:
            raise UserError(
                "builder.writer: name the model that writes, as the service calls it", field="builder.writer"
            )

    def choices(self) -> Mapping[str, Sequence[str]]:
        return {}


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()
