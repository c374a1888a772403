"""What an engine answers about models and texts, through spd-attach, against `tokenizers`, transformers' templates and the
command line."""
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from engine_client import Engine
from make_tiny_checkpoints import make_tiny_checkpoints
from support import spd


def expect(condition, text):
    if not condition:
        sys.exit(str(text))


TEXTS = ["", "a plain line", "48 apples, 17 pears", "na\u00efve \U0001F9EE\U0001F600 caf\u00e9 \u4f60\u597d", "<|im_end|> x\n\n\ty"]


def check_models(engine, workspace, tiny):
    listed = engine.ask("models.list")
    by_name = {model["model"]: model for model in listed["models"]}
    model = by_name["tiny"]
    config = json.loads((tiny / "config.json").read_text())
    expect(model["complete"] and model["architecture"] == config["architectures"][0], model)
    expect(model["bytes"] == sum(f.stat().st_size for f in tiny.glob("*.safetensors")), model)
    expect(not by_name["broken"]["complete"] and "safetensors" in by_name["broken"]["problem"], by_name["broken"])
    expect(by_name["org/hub-model"]["source"] == "hub" and by_name["org/hub-model"]["revision"] == "c0ffee", by_name)
    expect(not by_name["org/partial"]["complete"] and "lacks" in by_name["org/partial"]["problem"], by_name)
    expect(listed["resident"] is None, listed)


def check_inspect(engine, workspace, tiny):
    told = engine.ask("model.inspect", model="tiny")
    process = spd("inspect", "tiny", "--workspace", workspace, "--json")
    of_command = json.loads(process.stdout)
    expect({key: told[key] for key in of_command} == of_command, "inspect differs from the command")
    expect(list(told).index("oddities") < list(told).index("tensors") and told["machine"]["memory_total"] > 0, told)
    expect(engine.refusal("model.inspect", model="broken")["data"]["kind"] == "not_found", "no weights")
    refused = engine.ask("model.inspect", model="strange")
    expect(not refused["loads"] and refused["refusals"], refused)
    absent = engine.refusal("model.inspect", model="org/absent")
    expect(absent["data"]["kind"] == "not_found" and absent["data"]["details"] == ["hf download org/absent"], absent)
    expect(engine.refusal("model.inspect", model="tiny", dtype="int8")["code"] == -32602, "dtype")
    expect(engine.refusal("model.inspect")["message"].startswith("model"), "no model")
    engine.ask("model.inspect", model=str(tiny.resolve()))
    recent = [model for model in engine.ask("models.list")["models"] if model["source"] == "folder"]
    expect([model["model"] for model in recent] == [str(tiny.resolve())], recent)


def check_text(engine, tiny):
    from tokenizers import Tokenizer
    reference = Tokenizer.from_file(str(tiny / "tokenizer.json"))
    tokens = 0
    for text in TEXTS:
        for special in (True, False):
            told = engine.ask("text.tokenize", model="tiny", text=text, special_tokens=special)
            encoded = reference.encode(text, add_special_tokens=special)
            expect(told["ids"] == encoded.ids, (text, told["ids"], encoded.ids))
            for (begin, end), (a, b) in zip(told["ranges"], encoded.offsets):
                expect((begin, end) == (a, b) or a == b, (text, told["ranges"], encoded.offsets))
            expect("".join(told["texts"]) == reference.decode(encoded.ids, skip_special_tokens=False), told)
            tokens += len(told["ids"])
    print(f"measured: {tokens} tokens with their characters as `tokenizers` gives them")
    from transformers import AutoTokenizer
    messages = [{"role": "user", "content": "2 + 2? <|im_end|>"}]
    told = engine.ask("text.render", model="tiny", messages=messages)
    text = AutoTokenizer.from_pretrained(tiny).apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    expect(told["text"] == text and "".join(told["texts"]) == text, (told, text))
    expect([text[a:b] for a, b in told["content"]] == ["2 + 2? <|im_end|>"] or any(
        "2 + 2" in text[a:b] for a, b in told["content"]), told["content"])
    expect(engine.refusal("text.render", model="tiny", messages=3)["code"] == -32602, "messages")


def check_machine(engine, folder):
    meter = engine.ask("machine.meter")
    expect(meter["memory_total"] >= meter["memory_available"] > 0 and 0 <= meter["cpu_percent"] <= 100, meter)
    expect(meter["process_memory"] > 0 and meter["disk_free"] > 0, meter)
    listed = engine.ask("folder.list", path=str(folder))
    names = {entry["name"]: entry for entry in listed["entries"]}
    expect(names["models"]["kind"] == "folder" and listed["path"] == str(folder.resolve()), listed)
    inner = {e["name"]: e for e in engine.ask("folder.list", path=str(folder / "odd"))["entries"]}
    expect(not inner["bad\\xff"]["usable"] and inner["good"]["usable"] and inner["good"]["bytes"] == 3, inner)
    expect(engine.refusal("folder.list", path=str(folder / "nowhere"))["data"]["kind"] == "not_found", "nowhere")


def check_calibration_examples(engine, workspace):
    tasks = engine.ask("tasks.list")
    sizes = {data["name"]: data["rows"] for data in tasks["data_sets"]}
    expect(sizes["gsm8k/train"] == 7473 and sizes["mbpp/train"] == 464 and sizes["mmlu/train"] == 2000, sizes)
    expect({task["task"]: task["training_prompts"] for task in tasks["tasks"]} == {"math": 7473, "code": 464, "qa": 2000}, tasks)
    for task in ("math", "code", "qa"):
        told = engine.ask("calibration.examples", model="tiny", task=task, n=3, evaluate=["gsm8k", "mmlu"])
        shown = json.loads(spd("calibrate", "tiny", "--workspace", workspace, "--task", task, "--n", 3, "--show", "--json").stdout)
        usable = [example for example in told["examples"] if not example["problem"]]
        expect([[e["id"], len(e["ids"]), e["prompt_tokens"], e["targets"]] for e in usable] ==
               [[e["id"], e["tokens"], e["prompt_tokens"], [t["position"] for t in e["targets"]]] for e in shown["shown"]], task)
        for example in usable:
            text = "".join(example["texts"])
            expect(text.endswith(example["prompt"] + example["completion"]), text)
            spans = "".join(example["completion"][a:b] for a, b in example["spans"])
            expect(spans and spans in "".join(example["texts"][t] for t in example["targets"]), example)
        expect(told["overlap"]["also_trained_on"] == 3 and not told["overlap"]["leaks"], told["overlap"])
        # What is given back as it came is the same set.
        fields = ("id", "prompt", "completion", "spans")
        again = engine.ask("calibration.examples", model="tiny", examples=[{f: e[f] for f in fields} for e in usable])
        expect([e["targets"] for e in again["examples"]] == [e["targets"] for e in usable], again)
    bad = engine.ask("calibration.examples", model="tiny", examples=[
        {"id": "a", "prompt": "x", "completion": "\U0001F600 48", "spans": [[2, 4]]},
        {"id": "a", "prompt": "x", "completion": "48", "spans": [[0, 2]]},
        {"prompt": "x", "completion": "48", "spans": []}, {"prompt": "x", "completion": "48", "spans": [[0, 9]]}])
    expect([bool(e["problem"]) for e in bad["examples"]] == [False, True, True, True] and bad["usable"] == 1, bad)
    expect(engine.refusal("calibration.examples", model="tiny")["code"] == -32602, "no source")


def check_calibrate(engine, workspace):
    settings = {"model": "tiny", "task": "math", "n": 4, "layers": "all"}
    job, points, _, others = engine.do("calibrate", run="first", **settings)
    folder = workspace / "experiments/workbench/runs/first"
    out = workspace / "by-command"
    process = spd("calibrate", "tiny", "--workspace", workspace, "--task", "math", "--n", 4, "--layers", "all", "--out", out,
                  "--threads", 2)
    expect(process.returncode == 0, process.stderr)
    for file in ("subspace.json", "subspace.safetensors"):
        expect((folder / "calibration" / file).read_bytes() == (out / file).read_bytes(), f"{file} differs from the command's")
    measured = json.loads((out / "subspace.json").read_text())["examples"]
    expect([[p["id"], p["loss"], p["tokens"], p["targets"]] for p in points] ==
           [[e["id"], e["loss"], e["tokens"], e["targets"]] for e in measured], points)
    from safetensors.numpy import load_file
    grams = load_file(out / "subspace.safetensors")
    total = sum(tensor.trace() for key, tensor in grams.items() if key.endswith("gram"))
    expect(abs(sum(p["gradient_norm"] ** 2 for p in points) / total - 1) < 1e-9, "gradient norms")
    resident = [params["model"] for method, params in others if method == "model.changed"]
    expect(resident and resident[-1]["model"] == "tiny" and resident[-1]["dtype"] == "float32", resident)
    expect(any(method == "runs.changed" for method, _ in others), "the run is not recorded")
    # The same again: nothing left to do, and the model is not read again.
    again = engine.do("calibrate", run="first", **settings)
    expect(again[0]["result"]["resumed"] == 4 and not again[1], again)
    refused = engine.until_ended(engine.start("calibrate", run="first", **(settings | {"n": 3})))[0]
    expect(refused["state"] == "failed" and refused["error"]["kind"] == "invalid_argument", refused)
    engine.do("calibrate", run="own", model="tiny", examples=[{"prompt": "2 + 2 =", "completion": " 4", "spans": [[1, 2]]}])
    for bad in ({"run": "../x"}, {"run": ".x"}, {"run": "x", "model": "absent"}, {"run": "x", "loss": "none"}, {"run": "x", "z": 1}):
        engine.refusal("jobs.start", kind="calibrate", params=settings | bad)


def check_subspace(engine, workspace):
    import numpy
    from safetensors.numpy import load_file
    stored = load_file(workspace / "by-command/subspace.safetensors")
    curves = engine.ask("subspace.curves", run="first")
    expect({k: v for k, v in engine.ask("subspace.curves", path=str(workspace / "by-command")).items() if k != "path"} ==
           {k: v for k, v in curves.items() if k != "path"}, "path and run differ")
    for row in curves["targets"]:
        values = stored[f"layers.{row['layer']}.{row['stream']}.singular_values"]
        expect(numpy.allclose(row["singular_values"], values, rtol=1e-8, atol=0), row["target"])
    engine.do("calibrate", run="second", model="tiny", task="math", n=5, seed=7, layers="all")
    other = load_file(workspace / "experiments/workbench/runs/second/calibration/subspace.safetensors")
    told = engine.ask("subspace.angles", a={"run": "first"}, b={"run": "second"}, rank=5)
    expect(not told["left"] and len(told["targets"]) == 6, told)
    worst = 0
    for row in told["targets"]:
        key = f"layers.{row['layer']}.{row['stream']}.right_singular_vectors"
        cosines = numpy.linalg.svd(stored[key][:5] @ other[key][:5].T, compute_uv=False)
        worst = max(worst, numpy.abs(numpy.array(row["angles"]) - numpy.degrees(numpy.arccos(cosines.clip(-1, 1)))).max())
    expect(worst < 1e-4, worst)
    print(f"measured: principal angles differ from numpy's by {worst:.1g} degrees at most")
    one = engine.ask("subspace.angles", a={"run": "first"}, b={"run": "second"}, rank=5, targets=["1.v"])
    expect(one["targets"] == [row for row in told["targets"] if row["target"] == "1.v"], one)
    table = engine.ask("subspace.project", run="first", rank_rule="energy:0.9", project_layers="0,2", project="v")
    expect([row["target"] for row in table["targets"]] == ["0.v", "2.v"], table)
    for row in table["targets"]:
        values = stored[f"layers.{row['layer']}.v.singular_values"]
        energy = numpy.cumsum(values ** 2) / (values ** 2).sum()
        expect(row["rank"] == 1 + int((energy < 0.9).sum()) and abs(row["kept_energy"] - energy[row["rank"] - 1]) < 1e-8, row)
    for bad in ({"rank": 5, "rank_rule": "half_dim"}, {"control": "x"}, {"project": "q"}, {"rank": 10000}, {"path": "/"},
                {"run": "absent"}, {"project_layers": "99"}):
        engine.refusal("subspace.project", **({"run": "first"} | bad))
    engine.refusal("subspace.angles", a={"run": "first"}, b={"run": "second"}, targets=["9.k"])


def make_hub(cache, tiny):
    for name, files in (("hub-model", None), ("partial", ["config.json"])):
        snapshot = cache / f"models--org--{name}/snapshots/c0ffee"
        snapshot.mkdir(parents=True)
        for file in tiny.iterdir():
            if files is None or file.name in files:
                shutil.copy(file, snapshot)


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    tiny = make_tiny_checkpoints(folder / "tiny", ["qwen2-tied"])[0]
    workspace = folder / "workspace"
    (workspace / "models").mkdir(parents=True)
    shutil.copytree(tiny, workspace / "models/tiny")
    shutil.copytree(tiny, workspace / "models/broken")
    (workspace / "models/broken/model.safetensors").unlink()
    shutil.copytree(tiny, workspace / "models/strange")
    (workspace / "models/strange/config.json").write_text('{"architectures": ["MambaForCausalLM"], "model_type": "mamba"}')
    make_hub(folder / "hub", tiny)
    (workspace / "odd").mkdir()
    (workspace / "odd/good").write_text("abc")
    Path(os.fsdecode(bytes(workspace / "odd") + b"/bad\xff")).touch()
    with Engine(workspace, HF_HUB_CACHE=str(folder / "hub")) as engine:
        check_models(engine, workspace, tiny)
        check_inspect(engine, workspace, tiny)
        check_text(engine, tiny)
        check_machine(engine, workspace)
        check_calibration_examples(engine, workspace)
        check_calibrate(engine, workspace)
        check_subspace(engine, workspace)
        expect(engine.ask("model.unload") == {}, "unload")
        expect(engine.ask("models.list")["resident"] is None, "still there")
