"""What an engine answers about recorded runs, against `spd runs`, and changes that the command line sees; panes of a preview
against `spd generate`."""
import json
import math
import sys
import tempfile
from pathlib import Path

from engine_client import Engine
from make_tiny_checkpoints import make_tiny_checkpoints
from support import generate, reference_model, spd, write_lines


def expect(condition, text):
    if not condition:
        sys.exit(str(text))


def runs_command(workspace, *arguments):
    return json.loads(spd("runs", *arguments, "--workspace", workspace, "--json").stdout)


def make_runs(engine, model):
    for name, seed in (("one", 1), ("two", 2)):
        engine.do("calibrate", run=name, model=model, task="math", n=3, seed=seed, layers="all")
        engine.do("generate", run=name, model=model, method="spd", task="math", n_train=4, seed=seed, max_new_tokens=6)
        engine.do("train", run=name, model=model, epochs=2, batch_size=2)


def check_runs(engine, workspace):
    listed = engine.ask("runs.list")
    expect(listed["runs"] == runs_command(workspace, "list") and listed["total"] == 2, "list")
    one, two = (run["id"] for run in listed["runs"])
    expect(engine.ask("runs.show", run=one) == runs_command(workspace, "show", one), "show")
    expect(engine.ask("runs.compare", runs=[one, two]) == runs_command(workspace, "compare", one, two), "compare")
    told = engine.ask("runs.metrics", runs=[one, two], keys=["train/loss"])["runs"]
    log = [json.loads(line) for line in (workspace / "experiments/workbench/runs/one/training/training_log.jsonl").open()]
    expect(told[0]["curves"]["train/loss"] == [[line["step"], line["loss"]] for line in log] and "train/lr" in told[0]["keys"], told)
    chain = engine.ask("runs.lineage", run=one)
    kinds = {node["sha256"]: node["kind"] for node in chain["nodes"]}
    links = {(kinds[edge["from"]], kinds[edge["to"]]) for edge in chain["edges"]}
    expect(links == {("subspace", "corpus"), ("corpus", "adapter")}, links)
    expect(all(file["run"] == one for node in chain["nodes"] for file in node["files"]), chain)
    for bad in (("runs.show", {"run": "absent"}), ("runs.compare", {"runs": []}), ("runs.metrics", {"runs": [one], "most": 0})):
        engine.refusal(bad[0], **bad[1])
    return one, two


def check_changes(engine, workspace, one):
    expect(engine.ask("runs.tag", run=one, key="paper", value="yes")["tags"] == {"paper": "yes"}, "tag")
    engine.wait_for(lambda method, params: method == "runs.changed" and params["run"] == one)
    expect(runs_command(workspace, "show", one)["tags"] == {"paper": "yes"}, "the command line sees no tag")
    expect(engine.ask("runs.untag", run=one, key="paper")["tags"] == {}, "untag")
    engine.refusal("runs.untag", run=one, key="paper")
    engine.ask("runs.note", run=one, text="a note")
    expect(runs_command(workspace, "show", one)["note"] == "a note", "note")
    engine.refusal("runs.restore", run=one)
    engine.ask("runs.delete", run=one)
    expect([run["id"] for run in engine.ask("runs.list", deleted=True)["runs"]] == [one], "not deleted")
    engine.ask("runs.restore", run=one)
    expect(len(engine.ask("runs.list")["runs"]) == 2, "not restored")


EXPERIMENT = """
name = "own"
methods = ["spd"]
[model]
path = "MODEL"
dtype = "float32"
[task]
n_train = 4
n_calibration = 3
[generation]
max_new_tokens = 6
[training]
epochs = 1
[[evaluate]]
task = "gsm8k"
limit = 2
max_new_tokens = 6
"""


def check_trash(engine, workspace, model):
    """A run of an experiment goes to the trash with what it alone shares, and comes back whole."""
    file = workspace / "own.toml"
    file.write_text(EXPERIMENT.replace("MODEL", model))
    engine.do("experiment", file=str(file))
    run = next(run for run in engine.ask("runs.list")["runs"] if not run["imported"])
    files = sorted(str(path) for path in (workspace / "experiments" / run["experiment"]).rglob("*"))
    before = engine.ask("runs.show", run=run["id"])
    trash = Path(engine.ask("runs.delete", run=run["id"])["trash"])
    expect(not Path(run["folder"]).exists() and trash.is_dir(), "still there")
    engine.ask("runs.restore", run=run["id"])
    expect(engine.ask("runs.show", run=run["id"]) == before, "another run came back")
    expect(sorted(str(path) for path in (workspace / "experiments" / run["experiment"]).rglob("*")) == files, "files")
    expect(not trash.exists(), "the trash is not empty")


def check_preview(engine, workspace, model):
    run = workspace / "experiments/workbench/runs/one"
    prompts = workspace / "prompts.jsonl"
    write_lines(prompts, [{"id": "preview", "prompt": "Question: 2 + 3?\nAnswer:"}])
    panes = [{}, {"subspace": str(run / "calibration"), "rank": 2}, {"adapter": str(run / "training/adapter")},
             {"subspace": str(run / "calibration"), "when": "decode_only", "control": "complement"}]
    settings = {"max_new_tokens": 30, "seed": 5, "dtype": "float32", "top_k": 50}
    _, _, outputs, _ = engine.do("preview", model=model, prompt="Question: 2 + 3?\nAnswer:", panes=panes, **settings)
    headers = {output["pane"]: output["intervention"] for output in outputs if "intervention" in output}
    expect(headers[0] == "none" and "projection" in headers[1] and "adapter" in headers[2], headers)
    tokens = {pane: [t for o in outputs if o.get("pane") == pane for t in o.get("tokens", [])] for pane in range(4)}
    for pane, settings_of_pane in enumerate(panes):
        options = [w for k, v in (settings | settings_of_pane).items() for w in (f"--{k.replace('_', '-')}", v)]
        record = generate(model, prompts, workspace / f"pane{pane}.jsonl", *options)[0]
        expect([token["id"] for token in tokens[pane]] == record["completion_ids"], f"pane {pane} differs from spd generate")
    expect(all(token["kl_to_base"] == 0 for token in tokens[0]), "the base differs from itself")
    expect(any(token["kl_to_base"] > 1e-3 for token in tokens[1]), "the projection changes nothing")
    check_numbers(tokens, model, workspace)
    for bad in ([], [{}] * 5, [{"rank": 2}], [{"x": 1}]):
        engine.refusal("jobs.start", kind="preview", params={"model": model, "prompt": "x", "panes": bad})


def check_numbers(tokens, model, workspace):
    """Log-probability, entropy and the ten likeliest of the base pane, as transformers gives them."""
    import torch
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(Path(model) / "tokenizer.json"))
    ids = tokenizer.encode("Question: 2 + 3?\nAnswer:").ids
    known = tokenizer.get_vocab_size()
    with torch.no_grad():
        logits = reference_model(model, torch.float32)(torch.tensor([ids + [t["id"] for t in tokens[0]]])).logits[0]
    worst = 0
    for place, token in enumerate(tokens[0], start=len(ids) - 1):
        p = torch.log_softmax(logits[place, :known].double(), -1)
        worst = max(worst, abs(token["logprob"] - p[token["id"]].item()), abs(token["entropy"] + (p.exp() * p).sum().item()))
        likeliest = torch.topk(p, 10).values.tolist()
        worst = max(worst, max(abs(a["logprob"] - b) for a, b in zip(token["top"], likeliest)))
    expect(worst < 1e-3 and math.isfinite(worst), worst)
    print(f"measured: log-probabilities and entropies of {len(tokens[0])} tokens differ from transformers' by {worst:.1g} at most")


with tempfile.TemporaryDirectory() as name:
    workspace = Path(name) / "workspace"
    workspace.mkdir()
    model = str(make_tiny_checkpoints(Path(name) / "tiny", ["qwen2-tied"])[0])
    with Engine(workspace) as engine:
        expect(engine.ask("runs.list")["runs"] == [], "runs of nobody")
        make_runs(engine, model)
        one, two = check_runs(engine, workspace)
        check_changes(engine, workspace, one)
        check_preview(engine, workspace, model)
        check_trash(engine, workspace, model)
