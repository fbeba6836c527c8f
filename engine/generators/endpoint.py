"""Completions from a service with OpenAI's HTTP API: vLLM, SGLang, llama.cpp, Ollama, or a commercial one.

A prompt that is text goes to `/completions`, as fill-in-the-middle needs it; messages go to `/chat/completions`
(https://platform.openai.com/docs/api-reference). The key comes from an environment variable and is stored nowhere.
"""

from __future__ import annotations

import json
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator

from engine import params
from engine.domain import Completion, Model, Prompt, as_text
from engine.errors import ServiceFailure, UserError
from engine.generators import TOO_LONG, NoAnswer, PromptTooLong, Stream, shares
from engine.generators.address import address, variable
from engine.generators.answers import TooMuch, checked
from engine.generators.pace import Pace
from engine.params import setting

if TYPE_CHECKING:
    from openai import OpenAI

LONGEST_SAID = 1000  # characters of what a service says of an error
NO_KEY = "none"  # what is sent to a service that asks for no key; the client insists on one
SEEDS = 1 << 31  # services take seeds below this
DRAWS = 1000  # more than the requests for one draw: each has its own seed
TOO_LONG_CODES = ("context length", "context_length", "context size", "maximum context", "too long", "too many tokens")


class Endpoint:
    """A model behind an OpenAI-compatible HTTP API; `model` is the name by which the service knows it."""

    name: ClassVar[str] = "endpoint"
    title: ClassVar[str] = "Endpoint (OpenAI-compatible service)"
    is_remote: ClassVar[bool] = True
    draws_again: ClassVar[bool] = True

    class Params(params.Params):
        """Where the service is, and how it is asked."""

        name: Literal["endpoint"] = "endpoint"
        url: Annotated[str, AfterValidator(address)] = setting(
            "http://127.0.0.1:8000/v1", "address of the API, up to and including /v1", title="URL"
        )
        key_variable: Annotated[str, AfterValidator(variable)] = setting(
            "", "environment variable that holds the key; empty: none is sent"
        )
        temperature: float = setting(0.8, "lower is safer, higher is more varied", ge=0, le=5)
        top_p: float = setting(0.95, "draw among the likeliest tokens that together have this probability", gt=0, le=1)
        max_new_tokens: int = setting(512, "the longest completion", unit="tokens", ge=1, le=131072)
        parallel: int = setting(
            8, "requests under way at the same time", more=True, ge=1, le=256, title="Parallel requests"
        )
        per_minute: int | None = setting(
            None, "most requests a minute, as a service's contract may say; empty: as many as it takes",
            title="Requests a minute", more=True, ge=1, le=1_000_000,
        )  # fmt: skip
        retries: int = setting(
            5, "how often a request is sent again after a rate limit or a lost connection", more=True, ge=0, le=100
        )
        timeout_s: float = setting(300.0, "how long one answer may take", unit="s", more=True, gt=0, le=3600)
        prompt_price: float | None = setting(
            None, "of a million prompt tokens; with the next one, what a run cost is shown", more=True, ge=0, le=1e9
        )
        written_price: float | None = setting(None, "of a million written tokens", more=True, ge=0, le=1e9)
        currency: str = setting("", "of both prices, as it is to be shown", more=True, max_length=12)

    def __init__(self, params: Endpoint.Params) -> None:
        self.params = params
        self._client: OpenAI | None = None
        self._model = ""
        self._seed = 0
        self._key = ""
        self._pace = Pace(params.per_minute)
        self._streamed: Counter[Prompt] = Counter()  # asked again, a prompt gets the next draw
        self._usage: tuple[int | None, int | None] = None, None  # of the last one that was streamed
        self._tells_usage = True  # until the service refuses to

    def load(self, model: Model, seed: int) -> None:
        """See that the service answers and knows the model.

        Raises UserError where the key's variable is not set or the model is not known, ServiceFailure where the
        service does not answer.
        """
        import openai

        from engine.generators.bounded import Bounded

        key = os.environ.get(self.params.key_variable, "") if self.params.key_variable else NO_KEY
        if not key:
            raise UserError(
                f"generator.key_variable: the environment variable {self.params.key_variable} is not set where the "
                "studio was started; set it to the key and start again",
                field="generator.key_variable",
            )
        self._key = key if self.params.key_variable else ""
        bounded = Bounded(self.params.timeout_s, self.params.max_new_tokens)
        self._client = openai.OpenAI(
            base_url=self.params.url, api_key=key, max_retries=self.params.retries, timeout=self.params.timeout_s,
            http_client=openai.DefaultHttpx2Client(transport=bounded),
        )  # fmt: skip
        self._model, self._seed = model.name, seed
        try:
            listed = self._client.models.list()
            known = [str(each.id) for each in listed]
        except openai.NotFoundError:  # a service need not list its models
            return
        except (AttributeError, TypeError):
            raise self._trouble(ValueError("its list of models is none")) from None
        except (openai.OpenAIError, TooMuch, ValueError, RecursionError) as error:
            raise self._trouble(error) from None
        if self._model not in known:
            raise UserError(
                f"model: the service at {self.params.url} has no model {self._model!r}; it has: "
                f"{', '.join(known[:20])}",
                field="model",
            )

    def vocabulary(self) -> None:
        """The service does not tell it."""

    def count(self, prompts: Sequence[Prompt]) -> None:
        """The service does not tell lengths beforehand."""

    def room(self) -> None:
        """Not known before the service refuses a prompt."""

    def generate(
        self, prompts: Sequence[Prompt], n: int, draw: int = 0
    ) -> Iterator[tuple[int, list[Completion] | NoAnswer]]:
        """As the answers come in. Raises UserError where the key is refused, ServiceFailure where an answer fails.

        What was asked for by then is paid for: its answers are awaited and come first. Nothing more is asked for.
        """
        failure: BaseException | None = None
        given_up = Event()
        with ThreadPoolExecutor(self.params.parallel, thread_name_prefix="endpoint") as pool:
            asked = (
                (pool.submit(self._completions, prompt, n, draw, given_up), at) for at, prompt in enumerate(prompts)
            )
            waiting = dict(asked)
            try:
                for done in as_completed(list(waiting)):
                    if done.cancelled():
                        continue
                    if isinstance(error := done.exception(), CancelledError):
                        continue
                    if error:
                        failure = failure or error
                        given_up.set()
                        for each in waiting:  # those that have begun go on
                            each.cancel()
                    else:
                        yield waiting.pop(done), done.result()
            finally:
                given_up.set()
                pool.shutdown(wait=False, cancel_futures=True)
        if failure:
            raise failure

    def drawn_before(self, prompt: Prompt, times: int) -> None:
        self._streamed[prompt] = max(self._streamed[prompt], times)

    def stream(self, prompt: Prompt) -> Stream:
        import httpx2
        import openai

        self._streamed[prompt] += 1
        self._usage = None, None
        reason, is_answered = "", False
        try:
            for part in self._stream(prompt):
                answer = checked(part)
                is_answered |= bool(answer.choices)
                if None not in answer.usage.counted:
                    self._usage = answer.usage.counted
                for choice in answer.choices:
                    reason = choice.finish_reason or reason
                    if choice.written:
                        yield self._without_key(choice.written)
            if not is_answered:
                raise ValueError("it sent nothing of an answer")
        except (openai.OpenAIError, httpx2.HTTPError, TooMuch, ValueError, RecursionError) as error:
            if _is_too_long(error):
                raise PromptTooLong(str(error)) from None
            raise self._trouble(error) from None
        return reason == "stop"

    def usage(self) -> tuple[int | None, int | None]:
        return self._usage

    def _stream(self, prompt: Prompt) -> Any:
        """With the tokens at its end, unless the service does not know how to be asked for them."""
        import openai

        draw = self._streamed[prompt]
        try:
            return self._ask(prompt, 1, draw, stream=True)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
            if not self._tells_usage or "stream_options" not in str(error):
                raise
            self._tells_usage = False
            return self._ask(prompt, 1, draw, stream=True)

    def _completions(self, prompt: Prompt, n: int, draw: int, given_up: Event) -> list[Completion] | NoAnswer:
        """Several requests where the service gives fewer answers than it was asked for."""
        import openai

        found: list[Completion] = []
        asked = 0
        while len(found) < n:
            if not self._pace.wait(given_up):
                raise CancelledError
            try:
                answer = checked(self._ask(prompt, n - len(found), -asked - DRAWS * draw, stream=False))
            except (openai.OpenAIError, TooMuch, ValueError, RecursionError) as error:
                if _is_too_long(error):
                    return TOO_LONG
                raise self._trouble(error) from None
            if not answer.choices:
                raise ServiceFailure(f"the service at {self.params.url} answered without a single completion")
            asked += 1
            choices = answer.choices[: n - len(found)]
            usage = answer.usage.completion_tokens, answer.usage.prompt_tokens
            # of one request only the sums are told, so each of its completions gets an equal part of both
            written, read = (shares(tokens, len(choices)) for tokens in usage)
            for choice, tokens, of_prompt in zip(choices, written, read, strict=True):
                text, is_finished = self._without_key(choice.written), choice.finish_reason == "stop"
                found.append(Completion(text, None, tokens, of_prompt, is_finished))
        return found

    def _ask(self, prompt: Prompt, n: int, draw: int, *, stream: bool) -> Any:
        assert self._client is not None, "load() comes first"
        drawn = {"n": n, "temperature": self.params.temperature, "top_p": self.params.top_p}
        common = {**drawn, "model": self._model, "seed": self._seed_of(prompt, draw), "stream": stream}
        if stream and self._tells_usage:
            common["stream_options"] = {"include_usage": True}
        most = self.params.max_new_tokens
        if isinstance(prompt, tuple):
            messages = [{"role": message.role, "content": message.text} for message in prompt]
            return self._client.chat.completions.create(messages=messages, max_tokens=most, **common)  # type: ignore[call-overload]
        return self._client.completions.create(prompt=prompt, max_tokens=most, **common)  # type: ignore[call-overload]

    def _seed_of(self, prompt: Prompt, draw: int) -> int:
        return zlib.crc32(f"{self._seed} {draw} {as_text(prompt)}".encode("utf-8", "replace")) % SEEDS

    def _without_key(self, text: str) -> str:
        """What a service wrote; some repeat the key that they were sent."""
        return text.replace(self._key, "(the key)") if self._key else text

    def _trouble(self, error: Exception) -> Exception:
        """What a user can do about an answer that failed; the key is in none of these texts."""
        import httpx2
        import openai

        said = self._without_key(str(error))[:LONGEST_SAID]
        if isinstance(error, json.JSONDecodeError):
            said = "it is no JSON"
        service = f"the service at {self.params.url}"
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            variable = self.params.key_variable or "no key was sent; name its variable"
            text = f"generator.key_variable: {service} refuses the key ({variable})"
            return UserError(text, field="generator.key_variable")
        if isinstance(error, openai.NotFoundError):
            text = f"generator.url: {service} does not have this address or this model: {said}"
            return UserError(text, field="generator.url")
        if isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
            return UserError(f"generator: {service} refuses the request: {said}", field="generator")
        what = f"failed: {said}"
        if isinstance(error, TooMuch):
            what = "sent far more than was asked for"
        elif isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
            what = f"did not answer within {self.params.timeout_s:g} s"
        elif isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
            what = "cannot be reached; start it or correct generator.url"
        elif isinstance(error, ValueError | RecursionError):
            what = f"answered otherwise than OpenAI's API does: {said}; see whether generator.url is its address"
        return ServiceFailure(f"{service} {what}")


def _is_too_long(error: Exception) -> bool:
    import openai

    return isinstance(error, openai.BadRequestError) and any(words in str(error).lower() for words in TOO_LONG_CODES)
