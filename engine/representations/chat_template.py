"""Messages as the text that a model's own chat template makes of them, so that what trains and generates reads text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.domain import Bug, Message, Model, Preference, Prompt, Sample, Segment
from engine.errors import UserError
from engine.models.tokenizer import of_transformers
from engine.representations import CannotShow, Exchange, Representation, cause_question, next_question

_MOST_MESSAGES = 500  # before each answer the template is run on all that is there, so the time grows with the square
_ANSWER = "the answer 7c0f"  # stands in for an answer, to see what a template writes behind one


def for_model(representation: Representation, model: Model, vocabulary: frozenset[str] | None) -> Representation:
    """This representation for a model and its tokens; messages stay what they are for a service's model only.

    Raises UserError where the tokenizer lacks what the representation needs.
    """
    fitting = representation.for_vocabulary(vocabulary)
    return fitting if model.kind == "endpoint" else InText(fitting, ChatTemplate(model))


class ChatTemplate:
    """The chat template of a model's tokenizer, read only when there are messages.

    The format is that of Hugging Face: a Jinja program in chat_template.jinja or tokenizer_config.json.
    """

    def __init__(self, model: Model) -> None:
        self._model = model

    def in_text(self, sample: Sample) -> Sample:
        """`sample` with text in the place of messages; without messages, as it is.

        Before an answer is read exactly what the model is given when it is asked for one; learned are the answer and
        the token that ends it. What follows the last answer is left out. Raises UserError where the model has no
        template, CannotShow where the template refuses the messages, one of them holds a special token, or they are too
        many.
        """
        if all(segment.role is None for segment in sample.segments):
            return sample
        if len(sample.segments) > _MOST_MESSAGES:
            raise CannotShow(f"it has more than {_MOST_MESSAGES} messages")
        messages = [Message(each.role, each.text) for each in sample.segments if each.role is not None]
        self._check(messages)
        segments: list[Segment] = []
        written = ""
        for place, segment in enumerate(sample.segments):
            if segment.is_learned:
                asked = self._written(messages[:place], is_question=True)
                if not asked.startswith(written):
                    raise CannotShow("the chat template changes earlier messages when others follow")
                segments += [Segment(asked[len(written) :]), Segment(segment.text + self._end, True)]
                written = asked + segment.text + self._end
        return Sample(
            sample.bug_id, tuple(segments), sample.kind, sample.language, sample.project, is_ended=bool(self._end),
            messages=sample.segments, is_wrong=sample.is_wrong,
        )  # fmt: skip

    def pair_in_text(self, pair: Preference) -> Preference:
        """The same for a prompt with two answers."""
        if isinstance(pair.prompt, str):
            return pair
        self._check([*pair.prompt, Message("assistant", pair.chosen), Message("assistant", pair.rejected)])
        asked = self._written(pair.prompt, is_question=True)
        chosen, rejected = pair.chosen + self._end, pair.rejected + self._end
        answers = Segment(pair.chosen, True, "assistant"), Segment(pair.rejected, role="assistant")
        messages = (*(Segment(each.text, role=each.role) for each in pair.prompt), *answers)
        return replace(
            pair, prompt=asked, chosen=chosen, rejected=rejected, is_ended=bool(self._end), messages=messages
        )

    def _check(self, messages: Sequence[Message]) -> None:
        held = next((token for token in self._special if any(token in message.text for message in messages)), "")
        if held:
            raise CannotShow(f"the code holds the special token {held}")

    def _written(self, messages: Sequence[Message], *, is_question: bool) -> str:
        """All of the messages as text; a question ends where the model's answer begins."""
        chat = [{"role": message.role, "content": message.text} for message in messages]
        tokenizer = self._tokenizer
        try:
            return str(tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=is_question))
        except Exception as error:  # a template is a program of the model's makers and can raise anything
            raise CannotShow(f"the chat template refuses the messages: {str(error).partition(chr(10))[0]}") from None

    @cached_property
    def _end(self) -> str:
        """The template's text behind an answer up to its first special token; empty where it has none there.

        Whatever else the template writes there, as a new line, belongs to the message after it.
        """
        text = self._written([Message("user", "a question"), Message("assistant", _ANSWER)], is_question=False)
        behind = text.rpartition(_ANSWER)[2]
        places = [(behind.find(token), token) for token in self._special if token in behind]
        at, token = min(places, default=(0, ""))
        return behind[: at + len(token)]

    @cached_property
    def _special(self) -> tuple[str, ...]:
        """Longest first."""
        tokenizer = self._tokenizer
        added = (str(token) for token in tokenizer.added_tokens_decoder.values() if token.special)
        return tuple(sorted({*tokenizer.all_special_tokens, *added} - {""}, key=lambda token: (-len(token), token)))

    @cached_property
    def _tokenizer(self) -> Any:
        tokenizer = of_transformers(Path(self._model.weights))
        if not tokenizer.chat_template:
            raise UserError(
                f"the tokenizer of the model {self._model.name!r} has no chat template, so it cannot be sent messages; "
                "choose a model that was trained to chat, or a representation that shows code as text, such as ir4_or2",
                field="representation",
            )
        return tokenizer


class InText:
    """A representation whose messages have become text."""

    def __init__(self, shown: Representation, template: ChatTemplate) -> None:
        self.name = shown.name
        self.trim, self.decode = shown.trim, shown.decode  # of an answer, which is a text either way
        self._shown = shown
        self._template = template

    def encode(self, bug: Bug, notes: Sequence[str] = ()) -> Sample:
        return self._template.in_text(self._shown.encode(bug, notes))

    def question(self, bug: Bug, notes: Sequence[str] = ()) -> Prompt:
        """As `engine.representations.cause_question`."""
        return self._template.in_text(Sample.of(bug, cause_question(self._shown, bug, notes), "")).prompt

    def converse(self, bug: Bug, notes: Sequence[str], exchanges: Sequence[Exchange]) -> Prompt:
        """As `engine.representations.next_question`."""
        return self._template.in_text(Sample.of(bug, next_question(self._shown, bug, notes, exchanges), "")).prompt

    def for_vocabulary(self, vocabulary: frozenset[str] | None) -> InText:
        return InText(self._shown.for_vocabulary(vocabulary), self._template)
