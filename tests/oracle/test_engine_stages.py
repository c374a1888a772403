"""The jobs of an engine on a tiny checkpoint: a run from calibration to adapter and exports against the same by commands, looks
into what grows, stops and resumptions."""
import json
import sys
import tempfile
from pathlib import Path

from engine_client import Engine
from make_tiny_checkpoints import make_tiny_checkpoints
from support import read_lines, spd, write_lines

SETTINGS = {"max_new_tokens": 40, "rank_rule": "energy:0.9", "strength": 0.8, "batch": 3}
RECIPE = {"epochs": 2, "lr": 1e-3, "batch_size": 4, "held_out": 0.2, "checkpoint_every": 3}
DTYPE = {"dtype": "float32"}


def expect(condition, text):
    if not condition:
        sys.exit(str(text))


def options(settings):
    return [word for key, value in settings.items() for word in (f"--{key.replace('_', '-')}", value)]


def command(*arguments):
    process = spd(*arguments, "--threads", 2)
    expect(process.returncode == 0, f"{arguments[:2]}: {process.stderr}")


def by_commands(workspace, model, prompts):
    out = workspace / "commands"
    out.mkdir()
    command("calibrate", model, "--task", "math", "--n", 4, "--layers", "all", "--out", out / "calibration")
    command("generate", model, "--prompts", prompts, "--method", "spd", "--subspace", out / "calibration", "--out",
            out / "corpus.jsonl", *options(SETTINGS | DTYPE))
    command("train", model, "--corpus", out / "corpus.jsonl", "--out", out / "training", *options(RECIPE | DTYPE))
    return out


def check_generate(engine, run, commands, model, prompts):
    empty = engine.ask("corpus.rows", run="one")
    expect(empty == {"rows": [], "total": 0, "there": False, "complete": False}, empty)
    job, _, outputs, _ = engine.do("generate", run="one", model=model, method="spd", prompts=str(prompts), **SETTINGS, **DTYPE)
    expect((run / "corpus.jsonl").read_bytes() == (commands / "corpus.jsonl").read_bytes(), "another corpus than the command's")
    expect(outputs[-1]["done"] == 23, outputs)
    records = read_lines(run / "corpus.jsonl")
    expect(engine.ask("corpus.rows", run="one", count=1000)["rows"] == records, "rows")
    some = engine.ask("corpus.rows", path=str(run / "corpus.jsonl"), **{"from": 20, "count": 2})
    expect(some["rows"] == records[20:22] and some["total"] == 23 and some["complete"], some)
    told = engine.ask("corpus.statistics", run="one")
    meta = json.loads((run / "corpus.meta.json").read_text())
    expect({key: told[key] for key in meta["statistics"]} == meta["statistics"], told)
    for bad in ({"method": "psr"}, {"method": "x"}, {"prompts": ""}, {"task": "math"}, {"strength": "1"}, {"temperature": -1},
                {"method": "ssd", "subspace": "", "sampling": "model"}):
        engine.refusal("jobs.start", kind="generate",
                       params={"run": "one", "model": model, "method": "spd", "prompts": str(prompts)} | SETTINGS | bad)
    engine.do("generate", run="task", model=model, method="ssd", task="math", n_train=5, max_new_tokens=8)
    expect(len(read_lines(run.parent / "task/corpus.jsonl")) == 5, "task prompts")


def check_train(engine, run, commands, model):
    job, points, _, _ = engine.do("train", run="one", model=model, **RECIPE, **DTYPE)
    log = read_lines(run / "training/training_log.jsonl")
    expect(points == log and any("held_out_nll" in line for line in log), (points[:2], log[:2]))
    for file in ("adapter/adapter_model.safetensors",):
        expect((run / "training" / file).read_bytes() == (commands / "training" / file).read_bytes(), f"{file}: another")
    expect(job["result"]["steps"] == len(log), job["result"])
    for bad in ({"epochs": 0}, {"loss": "x"}, {"held_out": 2}, {"r": "8"}):
        engine.refusal("jobs.start", kind="train", params={"run": "one", "model": model} | RECIPE | bad)


def check_resume(engine, run, model, prompts):
    """Stopped in the middle, looked at, resumed: the bytes of one that was never stopped."""
    settings = {"run": "stopped", "model": model, "method": "psr", "prompts": str(prompts), "max_new_tokens": 900, "batch": 1} | DTYPE
    job = engine.start("generate", **settings)
    engine.wait_for(lambda method, params: method == "job.output" and params["output"][-1]["done"] >= 3)
    partial = engine.ask("corpus.rows", run="stopped")
    engine.ask("jobs.cancel", job=job)
    expect(engine.until_ended(job)[0]["state"] == "cancelled", "not cancelled")
    expect(0 < partial["total"] < 23 and not partial["complete"], partial["total"])
    status = {r["name"]: r["status"] for r in json.loads(spd("runs", "list", "--workspace", run.parents[3], "--json").stdout)}
    expect(status["stopped"] == "KILLED", status)
    engine.ask("jobs.resume", job=job)
    ended = engine.until_ended(job)[0]
    expect(ended["state"] == "finished" and ended["result"]["resumed"] >= 3, ended)
    engine.do("generate", **(settings | {"run": "straight", "batch": 8}))
    expect((run.parent / "stopped/corpus.jsonl").read_bytes() == (run.parent / "straight/corpus.jsonl").read_bytes(), "resumed")
    job = engine.start("train", run="stopped", model=model, **RECIPE, **DTYPE)
    engine.wait_for(lambda method, params: method == "job.metrics" and params["job"] == job)
    engine.response("jobs.cancel", {"job": job})  # refused where a quick machine is through already
    state = engine.until_ended(job)[0]["state"]
    engine.ask("jobs.resume", job=job) if state == "cancelled" else None
    if state == "cancelled":
        expect(engine.until_ended(job)[0]["state"] == "finished", "training was not resumed")
    points = engine.ask("jobs.metrics", job=job)["points"]
    log = read_lines(run.parent / "stopped/training/training_log.jsonl")
    expect({p["step"]: p["loss"] for p in points} == {p["step"]: p["loss"] for p in log}, "points of the resumed training")
    print(f"measured: a training that was {state} and a stopped corpus end with the bytes of unstopped ones")


def check_export(engine, run, model):
    runs = json.loads(spd("runs", "list", "--workspace", run.parents[3], "--json").stdout)
    run_id = {each["name"]: each["id"] for each in runs}["one"]
    out = run.parents[3]
    told = engine.do("export", what="peft", run=run_id, base=model, out=str(out / "peft"))[0]["result"]
    expect(told["logit_difference"] is not None and (out / "peft/adapter_config.json").is_file(), told)
    engine.do("export", what="merged", adapter=str(run / "training/adapter"), base=model, out=str(out / "merged"))
    engine.do("export", what="hook", run=run_id, base=model, out=str(out / "hook.py"))
    engine.refusal("jobs.start", kind="export", params={"what": "x", "out": "y"})


EXPERIMENT = """
name = "tiny"
methods = ["base", "spd"]
[model]
path = "MODEL"
dtype = "float32"
[task]
name = "math"
n_train = 4
n_calibration = 3
[generation]
max_new_tokens = 8
[training]
epochs = 1
[[evaluate]]
task = "gsm8k"
limit = 2
max_new_tokens = 8
"""


def check_experiment(engine, workspace, model):
    file = workspace / "tiny.toml"
    file.write_text(EXPERIMENT.replace("MODEL", model))
    job, _, outputs, others = engine.do("experiment", file=str(file))
    expect({"calibrate", "generate", "train", "evaluate gsm8k"} <= {output["stage"] for output in outputs}, outputs)
    changed = {params["run"] for method, params in others if method == "runs.changed"}
    expect(len(changed) == 2, changed)
    file.write_text("name = 3")
    engine.refusal("jobs.start", kind="experiment", params={"file": str(file)})


with tempfile.TemporaryDirectory() as name:
    workspace = Path(name) / "workspace"
    workspace.mkdir()
    model = str(make_tiny_checkpoints(Path(name) / "tiny", ["qwen2-tied"])[0])
    prompts = workspace / "prompts.jsonl"
    write_lines(prompts, [{"id": f"p{i}", "prompt": f"{i} and {i * i} are"} for i in range(23)])
    commands = by_commands(workspace, model, prompts)
    run = workspace / "experiments/workbench/runs/one"
    with Engine(workspace) as engine:
        engine.do("calibrate", run="one", model=model, task="math", n=4, layers="all")
        check_generate(engine, run, commands, model, prompts)
        check_train(engine, run, commands, model)
        check_resume(engine, run, model, prompts)
        check_export(engine, run, model)
        check_experiment(engine, workspace, model)
