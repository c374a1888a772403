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
        expect(engine.ask("model.unload") == {}, "unload")
