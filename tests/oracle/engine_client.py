"""An engine of a workspace of its own, spoken to through spd-attach as a window does it."""
import json
import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

ATTACH = Path(os.environ["SPD_BIN"]) / "spd-attach"


class Engine:
    """with Engine(folder) as engine: engine.ask("ping")"""

    def __init__(self, workspace, threads=2, **environment):
        self.process = subprocess.Popen([ATTACH, "--workspace", workspace, "--linger", "5", "--threads", str(threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | environment)
        self.messages = queue.Queue()
        self.events = []
        self.next_id = 0
        threading.Thread(target=self._read, daemon=True).start()
        hello = self.ask("hello", protocol=1, client="test")
        self.ask("subscribe", session=hello["session"], **{"from": 1})

    def _read(self):
        for line in self.process.stdout:
            line.decode("utf-8")  # strict
            self.messages.put(json.loads(line))
        self.messages.put(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.ask("shutdown")
        except SystemExit:
            pass
        self.process.stdin.close()
        self.process.wait(20)

    def _next(self, seconds):
        try:
            message = self.messages.get(timeout=seconds)
        except queue.Empty:
            sys.exit("the engine says nothing")
        if message is None:
            sys.exit("the engine ended")
        return message

    def response(self, method, params, seconds=120):
        self.next_id += 1
        request = {"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        while True:
            message = self._next(seconds)
            if message.get("id") == self.next_id:
                return message
            self.events.append(message)

    def ask(self, method, **params):
        """The result; a refusal ends the test."""
        response = self.response(method, params)
        if "error" in response:
            sys.exit(f"{method} {str(params)[:300]}: {response['error']}")
        return response["result"]

    def refusal(self, method, **params):
        """The error, which must come."""
        response = self.response(method, params)
        if "error" not in response:
            sys.exit(f"{method} {str(params)[:300]} is not refused: {str(response)[:500]}")
        error = response["error"]
        if "\n" in error["message"] or not error["message"]:
            sys.exit(f"{method}: not one line: {error}")
        return error

    def start(self, kind, **params):
        return self.ask("jobs.start", kind=kind, params=params)["job"]["job"]

    def wait_for(self, fits, seconds=300):
        """The first event that fits, of those not taken yet; those before it are dropped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            event = self.events.pop(0) if self.events else self._next(end - time.monotonic())
            if fits(event["method"], event["params"]):
                return event["params"]
        sys.exit("no such event")

    def until_ended(self, job):
        """Events of a job until its end: the job, its points, its output and what else was said."""
        points, outputs, others = [], [], []

        def take(method, params):
            if params.get("job") == job and method == "job.metrics":
                points.extend(params["points"])
            elif params.get("job") == job and method == "job.output":
                outputs.extend(params["output"])
            else:
                others.append((method, params))
            return method == "job.changed" and params["job"] == job and params["state"] in (
                "finished", "failed", "cancelled")

        return self.wait_for(take), points, outputs, others

    def do(self, kind, **params):
        """A job that must finish."""
        ended = self.until_ended(self.start(kind, **params))
        if ended[0]["state"] != "finished":
            sys.exit(f"{kind}: {ended[0]}")
        return ended
