"""`spd export peft RUN` and `spd export hook RUN` after a real `spd run`, and `spd runs import` of what the single commands really
write: what is exported is what the run recorded, peft and transformers read it, and whatever was moved, changed or never made is
refused with one line.
"""
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers.utils import logging

from adapters import logits, make_adapter
from make_tiny_checkpoints import make_tiny_checkpoints
from support import SPD, read_lines, reference_model, spd
from test_export_hook import imported
from test_forward import TOLERANCE, random_ids, relative_difference

MODEL = "llama-plain"
EXPERIMENT = """
name = "tiny"
methods = ["base", "psr", "spd"]
seed = 7
[model]
path = "llama-plain"
dtype = "float32"
[task]
n_train = 4
n_calibration = 3
[projection]
control = "random:3"
when = "decode_only"
strength = 0.7
[generation]
max_new_tokens = 8
[training]
epochs = 1
lr = 1e-2
batch_size = 2
[sweep]
"projection.rank_rule" = ["half_dim", 8, "file:ranks.json"]
"""
PSR, HALF, EIGHT, FILE = "psr-s7", "spd-s7-rank_rule=half_dim", "spd-s7-rank_rule=8", "spd-s7-rank_rule=file"
checks = 0


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        sys.exit(f"FAILED: {what}")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Workspace:
    def __init__(self, root, checkpoint):
        self.root, self.folder, self.place = root, root / "workspace", root / "place"
        (self.folder / "models").mkdir(parents=True)
        self.place.mkdir()
        self.model = self.folder / "models" / MODEL
        self.model.symlink_to(checkpoint)

    def spd(self, *arguments):
        return spd(*arguments, "--workspace", self.folder, cwd=self.place)

    def done(self, *arguments):
        process = self.spd(*arguments)
        check(process.returncode == 0, f"spd {arguments}: {process.returncode}, {process.stderr}")
        return process.stdout

    def json(self, *arguments):
        return json.loads(self.done(*arguments, "--json"))

    def refused(self, code, naming, *arguments):
        before = sorted(self.place.rglob("*"))
        process = self.spd(*arguments)
        shown = f"spd {arguments}: {process.returncode}, {process.stderr!r}"
        check((process.returncode, process.stdout) == (code, ""), shown)
        check(process.stderr.count("\n") == 1 and naming in process.stderr, f"{shown} does not name {naming!r}")
        check(sorted(self.place.rglob("*")) == before, f"{shown} left something")

    def run_experiment(self):
        ranks = {f"{layer}.{stream}": 5 + layer for layer in (0, 2) for stream in "kv"}
        (self.place / "ranks.json").write_text(json.dumps(ranks))
        (self.place / "tiny.toml").write_text(EXPERIMENT)
        self.done("run", "tiny.toml", "--threads", "1")
        [self.experiment] = (self.folder / "experiments").iterdir()
        [self.subspace] = self.experiment.glob("shared/*/subspace")

    def update(self, sql, *values):
        with sqlite3.connect(self.folder / "spd.sqlite", isolation_level=None) as database:
            database.execute(sql, values)


def check_peft(workspace, checkpoint):
    run = workspace.experiment / "runs" / EIGHT
    made = workspace.json("export", "peft", EIGHT, "--out", "adapter")
    check(made["base_model_name_or_path"] == MODEL and made["compared_in"] == "float32", f"{made}")
    check(0 <= made["logit_difference"] <= 2e-4, f"{made}")
    mine, theirs = (load_file(folder / "adapter_model.safetensors") for folder in (workspace.place / "adapter", run / "adapter"))
    check(mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine), "the run's adapter")
    sequences = random_ids(600, (20, 7), 3)
    plain = logits(reference_model(checkpoint, torch.float32), sequences)
    one, other = (logits(PeftModel.from_pretrained(reference_model(checkpoint, torch.float32), folder).eval(), sequences)
                  for folder in (run / "adapter", workspace.place / "adapter"))
    worst = max(map(relative_difference, one, other))
    check(max(map(relative_difference, one, plain)) > 1e-4, "the run's adapter changes nothing and proves nothing")
    print(f"measured: the adapter of a run exported by its name: spd says {made['logit_difference']:.2g}, peft's logits differ by "
          f"{worst:.2g} of the largest")
    check(worst <= TOLERANCE, "peft's logits")
    said = workspace.done("export", "peft", PSR, "--out", "adapter of psr")
    check("every value equal; logits of a few tokens in float32 differ from base + adapter by" in said, said)
    [row] = [run for run in workspace.json("runs", "list") if run["name"] == EIGHT]
    for text in (row["id"], f"{row['experiment']}/{EIGHT}", row["id"][:9]):
        check(workspace.json("export", "peft", text, "--out", "adapter", "--overwrite") == made, text)


def check_hook(workspace):
    options = ["--control", "random:3", "--when", "decode_only", "--strength", "0.7"]
    worst = 0.0
    for run, rank in ((HALF, ["--rank-rule", "half_dim"]), (EIGHT, ["--rank", "8"]), (FILE, ["--rank-rule", "file:ranks.json"])):
        made = workspace.json("export", "hook", run, "--out", "ours.py", "--overwrite")
        direct = workspace.json("export", "hook", "--subspace", workspace.subspace, "--out", "theirs.py", *options, *rank, "--overwrite")
        ours, theirs = imported(workspace.place / "ours.py"), imported(workspace.place / "theirs.py")
        check(ours.MATRICES.read_bytes() == theirs.MATRICES.read_bytes() and ours.WHEN == theirs.WHEN == "decode_only", run)
        for summary in (made, direct):
            worst = max(worst, summary["logit_difference"])
            check(summary["compared_in"] == "float32" and summary["targets"] == 4, f"{summary}")
    check(0 <= worst <= 2e-4, f"logits differ by {worst}")
    print(f"measured: hooks of 3 runs exported by name are those of their options; spd's logits with the maps read again differ by {worst:.2g}")
    for strength in ("0", "50", "1e6"):  # what rounding does to such logits is no fault of the files
        workspace.done("export", "hook", workspace.subspace, "--strength", strength, "--out", "strong.py", "--overwrite")
    said = workspace.done("export", "hook", EIGHT, "--out", "said.py")
    check("logits of a few tokens in float32" in said and "the Python file itself was not run" in said, said)


def check_not_compared(workspace):
    """Folders whose model is not here are exported, and the output says what was not compared."""
    options = ["--workspace", workspace.root / "elsewhere"]
    hook = spd("export", "hook", "--subspace", workspace.subspace, "--out", workspace.place / "alone.py", *options)
    check(hook.returncode == 0 and "logits were not compared" in hook.stdout and "--base MODEL" in hook.stdout, f"{hook}")
    compared = spd("export", "hook", workspace.subspace, "--out", workspace.place / "alone.py", "--base", workspace.model, "--rank", "4",
                   "--overwrite", "--json", *options)
    check(json.loads(compared.stdout)["logit_difference"] <= 2e-4, f"{compared}")
    bare = workspace.root / "bare" / MODEL
    bare.mkdir(parents=True)
    shutil.copy(workspace.model / "config.json", bare)
    adapter = workspace.experiment / "runs" / PSR / "adapter"
    arguments = ["export", "peft", adapter, "--out", workspace.place / "alone"]
    peft = spd(*arguments, "--json", cwd=bare.parent)
    check(peft.returncode == 0 and json.loads(peft.stdout)["logit_difference"] is None and "model.safetensors" in json.loads(peft.stdout)["not_compared"], f"{peft}")
    peft = spd(*arguments, "--overwrite", cwd=bare.parent)
    check("logits were not compared" in peft.stdout and "--base MODEL" in peft.stdout, f"{peft}")
    workspace.refused(2, "model.safetensors", *arguments, "--overwrite", "--base", bare)


def check_folder_wins(workspace, checkpoint):
    make_adapter(checkpoint, workspace.place / PSR)
    workspace.done("export", "peft", PSR, "--out", "mine", "--base", MODEL)
    mine, folder = (load_file(workspace.place / name / "adapter_model.safetensors") for name in ("mine", PSR))
    check(all(torch.equal(mine[name], folder[name]) for name in folder), "the folder of that name")
    shutil.rmtree(workspace.place / PSR)
    for command in ("peft", "hook"):
        check("folder of that name" in " ".join(spd("export", command, "--help").stdout.split()), f"--help of {command}")


def check_refusals(workspace):
    def peft(code, naming, run, *options):
        workspace.refused(code, naming, "export", "peft", run, "--out", "out", *options)

    def hook(code, naming, run, *options):
        workspace.refused(code, naming, "export", "hook", run, "--out", "out.py", *options)

    def without(path, changed):
        """What both commands say while a file is gone, and while it is changed."""
        kept = path.read_bytes()
        path.rename(path.with_name("moved"))
        changed(2, "is not there any more; run ")
        path.with_name("moved").rename(path)
        path.write_bytes(kept + b" ")
        changed(3, "was changed")
        path.write_bytes(kept)

    peft(2, "(base-s7) has no adapter: its method is base", "base-s7")
    hook(2, "has no projection: its method is base", "base")
    hook(2, "has no projection: its method is psr", PSR)
    for refused in (peft, hook):
        refused(2, "3 runs", "spd-s7")
        refused(2, "nosuch: no such folder; no run", "nosuch")
    hook(2, "--rank", EIGHT, "--rank", "4")
    hook(2, "--subspace", EIGHT, "--subspace", workspace.subspace)
    peft(2, "--adapter", EIGHT, "--adapter", workspace.place)
    workspace.refused(2, "RUN or --adapter", "export", "peft", "--out", "out")
    workspace.refused(2, "RUN or --subspace", "export", "hook", "--out", "out.py")
    process = spd("export", "peft", EIGHT, "--out", workspace.place / "out", "--workspace", workspace.root / "nowhere")
    check(process.returncode == 2 and "no run was recorded" in process.stderr and not (workspace.root / "nowhere").exists(), f"{process}")

    adapter = workspace.experiment / "runs" / EIGHT / "adapter"
    for path in (adapter / "adapter_model.safetensors", adapter / "adapter_config.json"):
        without(path, lambda code, naming: peft(code, naming, EIGHT))
    [meta] = [path for path in workspace.experiment.glob("shared/*/corpus.meta.json") if '"rank_rule": "8"' in path.read_text()]
    for path in (workspace.subspace / "subspace.safetensors", workspace.subspace / "subspace.json", meta):
        without(path, lambda code, naming: hook(code, naming, EIGHT))
    ranks = workspace.place / "ranks.json"
    kept = ranks.read_text()
    ranks.write_text(kept.replace("5", "4"))
    hook(3, "another projection today than the run recorded", FILE)
    ranks.write_text(kept)

    target = workspace.model.readlink()
    workspace.model.unlink()
    for refused in (peft, hook):
        refused(2, MODEL, EIGHT)
    workspace.done("export", "peft", EIGHT, "--out", "elsewhere", "--base", target)
    workspace.model.symlink_to(target)
    for status in ("FAILED", "KILLED", "RUNNING"):
        workspace.update("UPDATE runs SET status = ? WHERE name = ?", status, EIGHT)
        for refused in (peft, hook):
            refused(2, f"is {'KILLED' if status == 'RUNNING' else status}: only a FINISHED run", EIGHT)
    workspace.update("UPDATE runs SET status = 'FINISHED' WHERE name = ?", EIGHT)
    [row] = [run for run in workspace.json("runs", "list") if run["name"] == HALF]
    workspace.done("runs", "delete", HALF)
    for refused in (peft, hook):
        refused(2, "was deleted", row["id"])


def commands(workspace, folder):
    """What the single commands write on a tiny model, in one folder."""
    folder.mkdir()
    workspace.done("calibrate", MODEL, "--task", "math", "--n", "3", "--layers", "last_mid", "--out", folder / "subspace")
    [prompts] = [path for path in workspace.experiment.glob("shared/*/prompts.jsonl")][:1]
    workspace.done("generate", MODEL, "--prompts", prompts, "--out", folder / "corpus.jsonl", "--method", "spd", "--subspace",
                   folder / "subspace", "--rank", "6", "--control", "random:9", "--max-new-tokens", "8", "--seed", "5")
    workspace.done("train", MODEL, "--corpus", folder / "corpus.jsonl", "--out", folder / "training", "--epochs", "2", "--lr", "1e-2",
                   "--batch-size", "2", "--checkpoint-every", "1", "--seed", "5")


def check_import(workspace):
    folder = workspace.place / "by hand"
    commands(workspace, folder)
    [made] = workspace.json("runs", "import", folder)
    check((made["status"], made["method"]) == ("FINISHED", "spd"), f"{made}")
    shown = workspace.json("runs", "show", made["id"])
    check(shown["seed"] == 5, f"seed {shown['seed']}")
    expected = {"generate.seed": "5", "generate.intervention.projection.rank_rule": "6", "generate.model.id": MODEL, "train.examples": "4",
                "train.settings.lr": "0.01", "train.settings.epochs": "2", "train.model.id": MODEL, "calibrate.layers": "[0,2]",
                "calibrate.loss": "aligned", "calibrate.source.data_set": "gsm8k/train", "train.corpus_sha256": sha256(folder / "corpus.jsonl")}
    for key, value in expected.items():
        check(shown["params"].get(key) == value, f"{key}: {shown['params'].get(key)!r}")
    last = read_lines(folder / "training/training_log.jsonl")[-1]
    check({key: row["value"] for key, row in shown["metrics"].items()} == {f"train/{key}": last[key] for key in last if key != "step"}
          and {row["step"] for row in shown["metrics"].values()} == {4}, f"{shown['metrics']}")
    artifacts = {os.path.relpath(row["path"], folder): row for row in shown["artifacts"]}
    kinds = {"corpus.jsonl": "corpus", "corpus.meta.json": "manifest", "subspace/subspace.json": "subspace",
             "subspace/subspace.safetensors": "subspace", "subspace/calibrate.meta.json": "manifest", "training/train.meta.json": "manifest",
             "training/training_log.jsonl": "training_log", "training/adapter/adapter_config.json": "adapter",
             "training/adapter/adapter_model.safetensors": "adapter", "training/adapter/spd_provenance.json": "manifest"}
    check({name: row["kind"] for name, row in artifacts.items()} == kinds, f"{artifacts.keys()}")
    for name, row in artifacts.items():
        check((row["sha256"], row["size"]) == (sha256(folder / name), (folder / name).stat().st_size), name)
    edges = {(row["from"], row["from_sha256"], row["to"], row["to_sha256"]) for row in shown["lineage"]}
    subspace, corpus, adapter = (artifacts[name]["sha256"] for name in
                                 ("subspace/subspace.safetensors", "corpus.jsonl", "training/adapter/adapter_model.safetensors"))
    check(edges == {("subspace", subspace, "corpus", corpus), ("corpus", corpus, "adapter", adapter)}, f"{edges}")
    check_imported_exports(workspace, folder, made["id"])


def check_imported_exports(workspace, folder, run):
    workspace.done("export", "peft", run, "--out", folder / "exported")
    workspace.done("export", "hook", run, "--out", "imported.py")
    workspace.done("export", "hook", folder / "subspace", "--rank", "6", "--control", "random:9", "--out", "direct.py")
    ours, theirs = (imported(workspace.place / name).MATRICES.read_bytes() for name in ("imported.py", "direct.py"))
    check(ours == theirs, "the hook of an imported run")
    workspace.done("export", "merged", "--adapter", folder / "training/adapter", "--base", MODEL, "--out", folder / "merged")
    [again] = workspace.json("runs", "import", folder)
    shown = workspace.json("runs", "show", run)
    names = {os.path.relpath(row["path"], folder): row for row in shown["artifacts"]}
    check(again["id"] == run and again["status"] == "FINISHED" and names["merged/model.safetensors"]["kind"] == "model", f"{names.keys()}")
    for name in ("merged/model.safetensors", "exported/adapter_model.safetensors", "exported/spd_provenance.json"):
        check(names[name]["sha256"] == sha256(folder / name), name)
    check(shown["params"]["export merged.base_model.id"] == shown["params"]["export peft.base_model.id"] == MODEL, "params of exports")
    workspace.refused(2, "has 2 of kind adapter", "export", "peft", run, "--out", "out")


def check_killed_training(workspace):
    folder = workspace.place / "killed"
    process = subprocess.Popen([SPD, "train", MODEL, "--corpus", workspace.place / "by hand/corpus.jsonl", "--out", folder, "--epochs", "5000",
                                "--checkpoint-every", "1", "--workspace", workspace.folder], stdout=subprocess.DEVNULL)
    while process.poll() is None and len(list(folder.glob("checkpoints/step-*"))) < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    [made] = workspace.json("runs", "import", folder)
    shown = workspace.json("runs", "show", made["id"])
    check(made["status"] == "KILLED" and shown["params"]["train.settings.epochs"] == "5000", f"{made}")
    check({row["kind"] for row in shown["artifacts"]} == {"manifest", "training_log"}, f"{shown['artifacts']}")
    workspace.refused(2, "is KILLED: only a FINISHED run", "export", "peft", made["id"], "--out", "out")


def main():
    logging.disable_progress_bar()
    torch.set_num_threads(1)  # the models are tiny
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        [checkpoint] = make_tiny_checkpoints(root / "checkpoints", (MODEL,))
        workspace = Workspace(root, checkpoint)
        workspace.run_experiment()
        check_peft(workspace, checkpoint)
        check_hook(workspace)
        check_not_compared(workspace)
        check_folder_wins(workspace, checkpoint)
        check_refusals(workspace)
        check_import(workspace)
        check_killed_training(workspace)
    print(f"measured: {checks} checks of exports of recorded runs and of imported folders passed")


if __name__ == "__main__":
    main()
