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


def job(number, state, title, **more):
    ended = {"ended": 1_780_000_000_000 + 1000 * number} if state not in ("queued", "running") else {}
    started = {} if state == "queued" else {"started": 1_780_000_000_000 - 192_000}
    return {"job": f"j{number}", "kind": more.pop("kind", "calibrate"), "title": title, "params": {}, "state": state,
            "stopping": False, "resumable": state in ("cancelled", "interrupted"), "queued": 1, **started, **ended, **more}


JOBS = [
    job(1, "running", "Calibrate Qwen2.5-0.5B on math, 50 examples"),
    job(2, "queued", "Generate corpus, 7473 prompts", kind="generate", position=0),
    job(3, "queued", "Train LoRA r 8", kind="train", position=1),
    job(4, "finished", "Evaluate base on gsm8k", kind="eval"),
    job(5, "failed", "Train LoRA r 64", kind="train",
        error={"kind": "out_of_memory", "message": "24.1 GiB are needed, 23.4 GiB are free", "details": []}),
    job(6, "interrupted", "Generate corpus, MBPP", kind="generate"),
]
last_seq = 3


def tell(method, **params):
    global last_seq
    last_seq += 1
    event(method, last_seq, **params)


def find_job(request):
    return next(one for one in JOBS if one["job"] == request["params"]["job"])


def jobs(request):
    """The plan `jobs`: six jobs; cancel, resume, move and remove change them as an engine would."""
    method = request["method"]
    if method == "jobs.list":
        answer(request, {"jobs": JOBS})
        tell("job.progress", job="j1", phase="calibrate", done=31, total=50, rate=0.9, tokens_per_second=0, note="loss 1.92", seconds_left=21)
        return
    one = find_job(request)
    answer(request, {"lines": ["one", "two"]} if method == "jobs.log" else {})
    if method == "jobs.cancel":
        one.update(state="cancelled", resumable=True, ended=1_790_000_000_000)
        one.pop("position", None)
    elif method == "jobs.resume":
        one.update(state="queued", position=2)
        one.pop("ended", None)
    elif method == "jobs.move":
        for other in JOBS:
            if other["state"] == "queued":
                other["position"] = request["params"]["position"] if other is one else 1 - request["params"]["position"]
                tell("job.changed", **other)
    elif method == "jobs.remove":
        JOBS.remove(one)
        tell("job.removed", job=one["job"])
        return
    tell("job.changed", **one)


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
        elif method == "models.list":
            answer(request, {"models": [], "resident": {"model": "org/Qwen2.5-0.5B", "dtype": "bfloat16", "bytes": 988_097_824}})
        elif method == "machine.meter":
            answer(request, {"cpu_percent": 96.2, "memory_available": 12_990_000_000})
        elif method.startswith("jobs."):
            jobs(request)
        elif method == "freeze":
            time.sleep(1000)
        elif method == "refuse":
            write(line({"id": request["id"], "error": {"code": -32001, "message": "no", "data": {"kind": "not_found", "details": ["d"]}}}))
        elif method == "$/cancel":
            write(line({"id": request["params"]["id"], "error": {"code": -32800, "message": "cancelled", "data": {"kind": "cancelled"}}}))


main()
