"""What answers as a Ray dashboard does about jobs, for tests without a cluster."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Dashboard:
    """Answers as Ray's dashboard does about jobs, and keeps what it was sent."""

    def __init__(self):
        self.jobs, self.sent, self.headers, self.stopped = {}, [], [], []
        self.refusal, self.loses_answers, self.nodes = "", False, [{"CPU": 8.0, "memory": 2.0**40}]
        self.other = ""  # what another program answers to everything, which has the port now
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self, code, found):
                text = found.encode() if isinstance(found, str) else json.dumps(found).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self):
                outer.headers.append(self.headers)
                name = self.path.removeprefix("/api/jobs/")
                if outer.other:
                    self.answer(200, outer.other)
                elif self.path == "/api/version":
                    self.answer(200, {"ray_version": "2.60.0"})
                elif self.path.startswith("/api/v0/nodes"):
                    rows = [{"state": "ALIVE", "resources_total": each} for each in outer.nodes]
                    self.answer(200, {"data": {"result": {"result": rows}}})
                elif name in outer.jobs:
                    self.answer(200, outer.jobs[name])
                else:
                    self.answer(404, f"Job {name} does not exist")

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path.endswith("/stop"):
                    outer.stopped.append(self.path.split("/")[-2])
                    self.answer(200, {"stopped": True})
                    return
                wanted = json.loads(body)
                if outer.refusal or wanted["submission_id"] in outer.jobs:
                    self.answer(400, f"Traceback:\nValueError: {outer.refusal or 'Job already exists.'}")
                    return
                outer.sent.append(wanted)
                outer.jobs[wanted["submission_id"]] = {"status": "PENDING", "message": "Job has not started yet."}
                self.answer(500 if outer.loses_answers else 200, wanted)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def becomes(self, name, status, **fields):
        self.jobs[name] = {"status": status, **fields}
