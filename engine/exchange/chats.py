"""A dataset's rows as the conversations that other trainers read; what was no chat is one question and its answer.

Firefly's rows are those of yangjianxin1/Firefly, ShareGPT's those of lm-sys/FastChat, Alpaca's those of
tatsu-lab/stanford_alpaca; OpenAI's and the pairs of direct preference optimisation are as TRL reads them
(https://huggingface.co/docs/trl/dataset_formats).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, BinaryIO

from engine.domain import Rows
from engine.errors import UserError
from engine.exchange.sides import SIDES, Exportable
from engine.representations.alpaca import parts_of

Said = Mapping[str, Any]  # {"role", "content"}
Row = Mapping[str, Any]  # with the columns of an export
ToRow = Callable[[int, Row], dict[str, Any]]  # number, from 1, and row -> what is written
_SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt"}


def openai(number: int, row: Row) -> dict[str, Any]:
    """`messages`, with `weight` 0 at answers that are only read."""
    return {"messages": _said(row)}


def firefly(number: int, row: Row) -> dict[str, Any]:
    """`conversation_id, category, system, conversation`; the last one of questions and answers in turn."""
    system, pairs = _in_turn(_said(row))
    conversation = [{"human": asked, "assistant": answer} for asked, answer in pairs]
    named = {"conversation_id": number, "category": row["kind"]}
    return named | ({"system": system} if system else {}) | {"conversation": conversation}


def sharegpt(number: int, row: Row) -> dict[str, Any]:
    """`conversations` of `{from, value}`."""
    return {"conversations": [{"from": _SHAREGPT[each["role"]], "value": each["content"]} for each in _said(row)]}


def alpaca(number: int, row: Row) -> dict[str, Any]:
    """`instruction, input, output`. Raises UserError where there is more than one answer."""
    if not row.get("messages") and (parts := parts_of(row["prompt"], row["target"])):
        return dict(zip(("instruction", "input", "output"), parts, strict=True))
    system, pairs = _in_turn(_said(row))
    if len(pairs) > 1:
        raise UserError(
            f"format: {row['id']!r} has {len(pairs)} answers, and rows of Alpaca have one; choose firefly, openai or "
            "sharegpt"
        )
    asked, answer = pairs[0]
    return {"instruction": f"{system}\n\n{asked}" if system else asked, "input": "", "output": answer}


def dpo(number: int, row: Row) -> dict[str, Any]:
    """`prompt, prompt_id, chosen, rejected`; both answers as conversations that differ in their last message."""
    *asked, better, worse = _answers(row)
    prompt = next((each["content"] for each in reversed(asked) if each["role"] == "user"), "")
    answers = {name: [*asked, _plain(each)] for name, each in (("chosen", better), ("rejected", worse))}
    return {"prompt": prompt, "prompt_id": row["id"], **answers}


def written(to_row: ToRow, holds: Rows) -> Callable[[Exportable, BinaryIO], None]:
    """What writes a dataset as JSON lines, each with its side; `holds`: samples or preferences, which it is for.

    Raises UserError where the dataset holds the other.
    """
    return partial(_write, to_row, holds)


def _write(to_row: ToRow, holds: Rows, dataset: Exportable, file: BinaryIO) -> None:
    if dataset.holds != holds:
        raise UserError(f"format: {dataset.name!r} holds {dataset.holds}, and this format is for {holds}")
    for number, (side, row) in enumerate(_rows(dataset), start=1):
        line = json.dumps({**to_row(number, row), "id": row["id"], "split": side}, ensure_ascii=False)
        file.write(line.encode("utf-8", "replace") + b"\n")


def _rows(dataset: Exportable) -> Iterator[tuple[str, Row]]:
    for side in SIDES:
        if dataset.has(side):
            for rows in dataset.rows(side):
                yield from ((side, row) for row in rows)


def _said(row: Row) -> list[Said]:
    if row.get("messages"):
        return _read(row)
    asked, answer = row["prompt"], row["target"]
    if parts := parts_of(asked, answer):
        asked, answer = "\n\n".join(filter(None, parts[:2])), parts[2]
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]


def _answers(row: Row) -> list[Said]:
    """The messages of a preference; the last two are its answers."""
    if row.get("messages"):
        return _read(row)
    answers = [{"role": "assistant", "content": row[name]} for name in ("chosen", "rejected")]
    return [{"role": "user", "content": row["prompt"]}, *answers]


def _read(row: Row) -> list[Said]:
    try:
        return list(json.loads(row["messages"]))
    except (ValueError, TypeError, RecursionError):
        raise UserError(f"the messages of {row['id']!r} are damaged; build the dataset again") from None


def _plain(said: Said) -> dict[str, str]:
    return {name: said[name] for name in ("role", "content")}


def _in_turn(messages: list[Said]) -> tuple[str, list[tuple[str, str]]]:
    """The system message, and questions with their answers; several of one role in a row are joined."""
    system, asked = "", ""
    pairs: list[tuple[str, str]] = []
    for each in messages:
        text = each["content"]
        if each["role"] == "system":
            system = text
        elif each["role"] == "user":
            asked = f"{asked}\n\n{text}" if asked else text
        elif pairs and not asked:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]}\n\n{text}")
        else:
            pairs.append((asked, text))
            asked = ""
    return system, pairs
