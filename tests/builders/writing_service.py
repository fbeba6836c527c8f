"""A process with OpenAI's HTTP API that writes what a test tells it to, and counts what it is asked.

`python writing_service.py FOLDER`: prints its port. The answer to a request is FOLDER/answer.txt, with {n} filled in by
the number of the request; `finish_reason` is FOLDER/finish.txt, "stop" without one. While FOLDER/fail exists each
request is answered with status 500. Requests are appended to FOLDER/asked.jsonl.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
LOCK = threading.Lock()


class Answers(BaseHTTPRequestHandler):
    """One request."""

    def log_message(self, *_):
        """Nothing on standard error."""

    def do_GET(self):
        self.send({"object": "list", "data": [{"id": "writer", "object": "model", "created": 0, "owned_by": "x"}]})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if (FOLDER / "fail").exists():
            self.send({"error": {"message": "broken"}}, 500)
            return
        with LOCK, (FOLDER / "asked.jsonl").open("a+") as log:
            log.seek(0)
            number = len(log.readlines()) + 1
            log.write(json.dumps(asked["messages"][0]["content"]) + "\n")
        finish = FOLDER / "finish.txt"
        message = {"role": "assistant", "content": (FOLDER / "answer.txt").read_text().replace("{n}", str(number))}
        reason = finish.read_text() if finish.exists() else "stop"
        choice = {"index": 0, "message": message, "finish_reason": reason}
        usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
        self.send({"id": "1", "object": "chat.completion", "created": 0, "choices": [choice], "usage": usage})

    def send(self, answer, code=200):
        content = json.dumps(answer).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    print(server.server_address[1], flush=True)
    server.serve_forever()
