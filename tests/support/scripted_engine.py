"""An engine that misbehaves by plan, for tst_engine_client.

    scripted_engine.py PLAN FOLDER

Speaks PROTOCOL.md on its standard input and output. FOLDER keeps how often it was started (file `starts`) and what the last one
was asked (file `subscribed`). `echo` answers its params in every plan.
"""
import json
import os
import sys
import time

PLAN, FOLDER = sys.argv[1:]
SESSION = {"new_session": f"session{time.time()}"}.get(PLAN, "session")


def count_start():
    path = os.path.join(FOLDER, "starts")
    starts = int(open(path).read()) + 1 if os.path.exists(path) else 1
    with open(path, "w") as file:
        file.write(str(starts))
    return starts


START = count_start()


def write(data):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def line(message):
    return json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"


def answer(request, result):
    write(line({"id": request["id"], "result": result}))


def event(method, seq, **params):
    write(line({"method": method, "params": {"seq": seq, **params}}))


def hello(request):
    if PLAN == "mute":
        return
    if PLAN == "refuses_version":
        error = {"code": -32600, "message": "the window speaks protocol 1, the engine (spd 9.9) protocol 9: use the same release of both",
                 "data": {"kind": "invalid_request"}}
        write(line({"id": request["id"], "error": error}))
        return
    protocol = 9 if PLAN == "other_version" else 1
    answer(request, {"protocol": protocol, "engine": "spd 9.9", "pid": os.getpid(), "workspace": "/w", "started": 1,
                     "session": SESSION, "next": 4, "threads": 2, "processor": "P"})


def subscribe(request):
    with open(os.path.join(FOLDER, "subscribed"), "w") as file:
        file.write(f"{request['params']['session']} {request['params']['from']}")
    gap = PLAN == "gap" and START > 1
    answer(request, {"next": 50 if gap else request["params"]["from"], "oldest": 1, "gap": gap})
    if PLAN == "events" and START == 1:
        for seq in (4, 5, 5, 6):  # one twice
            event("log", seq, lines=[f"line {seq}"])
        event("job.changed", 7, job="a1", kind="calibrate", title="T", params={}, state="running", stopping=False, resumable=False)
        event("job.progress", 8, job="a1", phase="calibrate", done=3, total=10, rate=0.5, tokens_per_second=0, note="")
        event("job.changed", 9, job="a1", kind="calibrate", state="no such state")
        event("surprise", 10, what=1)
    if PLAN == "lost_events":
        write(line({"method": "events.lost", "params": {"from": 4, "to": 90}}))
        event("log", 91, lines=["after"])


held = []


def echo(request):
    if PLAN == "late":
        time.sleep(0.4)
    if PLAN == "reversed":
        held.append(request)
        if len(held) == 2:
            for one in reversed(held):
                answer(one, one["params"])
        return
    if PLAN == "cut":
        for byte in line({"id": request["id"], "result": request["params"]}):
            write(bytes([byte]))
            time.sleep(0.001)
        return
    if PLAN == "huge":
        for _ in range(100):
            write(b"x" * 1_000_000)
        write(b"\n")
    if PLAN == "large":
        answer(request, {"text": "y" * 40_000_000})
        return
    if PLAN == "flood":
        for i in range(50_000):
            write(line({"method": "log", "params": {"seq": 5 + i, "lines": ["z" * 100]}}))
    if PLAN == "garbage":
        write(bytes(range(256)) + b"\n\n\r\n{}\n[]\nnull\n" + b'{"jsonrpc":"2.0","id":1e99,"result":1}\n' + b"{" * 5000 + b"\n")
        write(line({"id": 123456, "result": {}}) + line({"id": None, "error": {"code": 1, "message": "m"}}))
    if PLAN == "dies" and START == 1:
        write(line({"id": request["id"], "result": request["params"]})[:-20])
        os._exit(4)
    if PLAN == "closes" and START == 1:
        os.close(1)
        time.sleep(60)
    answer(request, request["params"])


def main():
    if PLAN == "no_workspace":
        print("spd-attach: first\nspd-attach: /w: no such folder", file=sys.stderr)
        sys.exit(2)
    if PLAN == "unreachable":
        print("ssh: connect to host h port 22: Connection refused", file=sys.stderr)
        sys.exit(255)
    for text in sys.stdin:
        request = json.loads(text)
        method = request["method"]
        if method == "hello":
            hello(request)
        elif method == "subscribe":
            subscribe(request)
        elif method == "echo":
            echo(request)
        elif method == "ping":
            answer(request, {})
        elif method == "freeze":
            time.sleep(1000)
        elif method == "refuse":
            write(line({"id": request["id"], "error": {"code": -32001, "message": "no", "data": {"kind": "not_found", "details": ["d"]}}}))
        elif method == "$/cancel":
            write(line({"id": request["params"]["id"], "error": {"code": -32800, "message": "cancelled", "data": {"kind": "cancelled"}}}))


main()
