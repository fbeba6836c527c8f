"""What a service answered, checked: it may be in any form, of any size, and never end."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ValidationError

from engine.generators import shares


class TooMuch(Exception):
    """A service sent more than any answer needs."""


class Written(BaseModel):
    """What the model wrote, in an answer to messages; `delta` of `Choice` is the same, a piece at a time."""

    content: str | None = None


class Choice(BaseModel):
    """One completion, or a piece of it."""

    text: str | None = None
    message: Written | None = None
    delta: Written | None = None
    finish_reason: str | None = None

    @property
    def written(self) -> str:
        """Empty where the service wrote nothing; half a character, which no file can hold, is a question mark."""
        said = self.message or self.delta
        text = (said.content if said else self.text) or ""
        return text.encode("utf-8", "replace").decode()


class Usage(BaseModel):
    """Tokens of a request, which may be anything: `engine.generators.shares` knows what can be."""

    completion_tokens: Any = None
    prompt_tokens: Any = None

    @property
    def counted(self) -> tuple[int | None, int | None]:
        """Tokens read and written; None where the service does not tell, or tells what cannot be."""
        return shares(self.prompt_tokens, 1)[0], shares(self.completion_tokens, 1)[0]


class Answer(BaseModel):
    """An answer of `/completions` or `/chat/completions`, or a part of it."""

    choices: list[Choice]
    usage: Annotated[Usage, BeforeValidator(lambda value: value if isinstance(value, dict) else {})] = Usage()


def checked(answer: Any) -> Answer:
    """An answer as the client gives it. Raises ValueError, which says what is wrong with its form.

    The client checks nothing: it gives a text where the service says that it is not JSON.
    """
    if not isinstance(answer, BaseModel):
        raise ValueError("it is no JSON")
    try:
        return Answer.model_validate(answer.model_dump(warnings=False))
    except ValidationError as error:
        found = error.errors()[0]
        place = ".".join(map(str, found["loc"]))
        raise ValueError(f"{place}: {found['msg'].removeprefix('Input ')}") from None
