"""A process that serves a model with OpenAI's HTTP API, as vLLM or llama.cpp do; prints its port when it listens.

`python served_model.py FOLDER [--key KEY] [--at-most N] [--refuse N] [--text TYPE] [--no-usage]`. `--no-usage`: it
does not know how to be asked for the tokens of a stream. `--at-most`: answers to one request, whatever is
asked for; `--refuse`: so many requests are first answered with 429, as a service under a rate limit does; `--text`: every answer is a page of HTML, which is called TYPE.
"""

from __future__ import annotations

import argparse
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from engine.domain import Model
from engine.generators.sampling import Sampling


class Answers(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Served

    def log_message(self, *_: Any) -> None:
        """Nothing on standard error."""

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            self.send({"object": "list", "data": [{"id": "served", "object": "model", "created": 0, "owned_by": "x"}]})
        else:
            self.refuse(404, "no such address")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        options = self.server.options
        if not self.path.startswith("/v1/"):
            self.refuse(404, "no such address")
        elif options.key and self.headers.get("Authorization") != f"Bearer {options.key}":
            self.refuse(401, "wrong key")
        elif options.text:
            self.page(options.text)
        elif options.refuse > 0:
            options.refuse -= 1
            self.refuse(429, "too many requests")
        else:
            self.answer(asked, is_chat=self.path.endswith("/chat/completions"))

    def page(self, kind: str) -> None:
        body = b"<html>hello</html>"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, asked: dict[str, Any], *, is_chat: bool) -> None:
        generator = self.server.generator
        prompt = (
            "\n".join(f"{each['role']}: {each['content']}" for each in asked["messages"])
            if is_chat
            else asked["prompt"]
        )
        with self.server.one_at_a_time:
            params = {"temperature": asked["temperature"] or 0.01, "max_new_tokens": asked["max_tokens"]}
            generator.params = generator.Params(**params)
            generator._seed = asked["seed"]
            length = generator.count([prompt])[0]
            if length > generator.room():
                self.refuse(400, f"This model's maximum context length is {generator.room()} tokens, not {length}")
                return
            n = min(asked["n"], self.server.options.at_most or asked["n"])
            [(_, drawn)] = generator.generate([prompt], n)
        choices = [self.choice(place, each, is_chat) for place, each in enumerate(drawn)]
        usage = {"prompt_tokens": length, "completion_tokens": sum(each.n_tokens for each in drawn), "total_tokens": 0}
        kind = "chat.completion" if is_chat else "text_completion"
        answer = {"id": "1", "object": kind, "created": 0, "model": "served", "choices": choices, "usage": usage}
        if asked.get("stream"):
            if "stream_options" in asked and self.server.options.no_usage:
                self.refuse(400, "unknown field: stream_options")
                return
            is_counted = asked.get("stream_options", {}).get("include_usage", False)
            self.stream(answer, drawn[0].text, is_chat, is_counted)
        else:
            self.send(answer)

    def choice(self, place: int, completion: Any, is_chat: bool) -> dict[str, Any]:
        text = {"message": {"role": "assistant", "content": completion.text}} if is_chat else {"text": completion.text}
        reason = "stop" if completion.is_finished else "length"
        return {"index": place, "finish_reason": reason, "logprobs": None, **text}

    def stream(self, answer: dict[str, Any], text: str, is_chat: bool, is_counted: bool) -> None:
        """The text in pieces of a few characters, then why it ended, then its tokens if they were asked for."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        ended = answer["choices"][0]["finish_reason"]
        for piece, reason in [*((text[at : at + 4], None) for at in range(0, len(text), 4)), ("", ended)]:
            part = {"delta": {"content": piece}} if is_chat else {"text": piece}
            choices = [{"index": 0, "finish_reason": reason, "logprobs": None, **part}]
            self.wfile.write(f"data: {json.dumps({**answer, 'choices': choices, 'usage': None})}\n\n".encode())
        if is_counted:
            self.wfile.write(f"data: {json.dumps({**answer, 'choices': []})}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def send(self, answer: dict[str, Any], code: int = 200) -> None:
        body = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if code == 429:
            self.send_header("Retry-After-Ms", "1")
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, code: int, message: str) -> None:
        self.send({"error": {"message": message, "type": "error", "code": code}}, code)


class Served(ThreadingHTTPServer):
    """The server, with the model."""

    def __init__(self, options: argparse.Namespace) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.options = options
        self.one_at_a_time = threading.Lock()
        self.generator = Sampling(Sampling.Params())
        self.generator.load(Model("served", "base", options.folder), 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--key", default="")
    parser.add_argument("--at-most", type=int, default=0)
    parser.add_argument("--refuse", type=int, default=0)
    parser.add_argument("--text", default="")
    parser.add_argument("--no-usage", action="store_true")
    served = Served(parser.parse_args())
    print(served.server_port, flush=True)
    served.serve_forever()
