"""`spd run`: Algorithm 1 from an experiment file, on a tiny model and real GSM8K data.

What lies on the disk and in the database is held against what Python computes from it: hashes, scores, curves, the KL divergence
by transformers and peft. Then the same file is run again (everything is there), stopped by SIGINT, killed by SIGKILL at random
moments, and must end with the same bytes as the run that was never interrupted. Wrong experiments leave nothing behind.
"""
import hashlib
import json
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import torch

from make_tiny_checkpoints import make_tiny_checkpoints
from support import SOURCE, SPD, read_lines, reference_model, sample_model, spd

MODEL = "llama-plain"
EXPERIMENT = """
name = "tiny"
methods = ["base", "psr", "ssd", "spd"]
seed = 7
[model]
path = "llama-plain"
dtype = "float32"
[task]
n_train = 5
n_calibration = 3
[generation]
max_new_tokens = 12
[training]
epochs = 2
lr = 1e-3
batch_size = 2
checkpoint_every = 1
[[evaluate]]
task = "gsm8k"
limit = 3
max_new_tokens = 16
[sweep]
"projection.rank_rule" = ["half_dim", 8]
"""
RUNS = ["base-s7", "psr-s7", "ssd-s7", "spd-s7-rank_rule=half_dim", "spd-s7-rank_rule=8"]
KILLS = 8

checks = 0


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        sys.exit(f"FAILED: {what}")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Workspace:
    """A workspace of its own with the tiny model in it."""

    def __init__(self, root, name, checkpoint):
        self.folder = root / name
        (self.folder / "models").mkdir(parents=True)
        (self.folder / "models" / MODEL).symlink_to(checkpoint)
        self.file = self.folder / "tiny.toml"
        self.file.write_text(EXPERIMENT)

    def command(self, *options):
        return ["run", self.file, "--workspace", self.folder, "--threads", "1", *options]

    def run(self, *options, expect=0):
        process = spd(*self.command(*options))
        check(process.returncode == expect, f"spd run {options} ended with {process.returncode}: {process.stderr}")
        return process

    def experiment(self):
        [folder] = (self.folder / "experiments").iterdir()
        return folder

    def query(self, sql, *values):
        connection = sqlite3.connect(f"file:{self.folder / 'spd.sqlite'}?mode=ro", uri=True)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def results(self):
        """Bytes that a run must end with, whatever happened to it on the way."""
        folder = self.experiment()
        kept = {}
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            if path.is_symlink() or not path.is_file():
                continue
            if path.name in ("adapter_model.safetensors", "adapter_config.json", "corpus.jsonl", "subspace.safetensors",
                             "completions.jsonl") or path.name.startswith("samples_") or name == "experiment.toml":
                kept[name] = sha256(path)
            elif path.name == "training_log.jsonl":
                kept[name] = [{key: value for key, value in row.items() if key != "tokens_per_second"} for row in read_lines(path)]
        return kept


def final_number(text):
    """The scorer's rule for texts of a random model: the last number that stands in them."""
    marks = [m for m in re.finditer(r"\d[\d,]*(?:\.\d+)?|\.\d+", text)]
    return marks[-1].group() if marks else None


def check_files(workspace):
    folder = workspace.experiment()
    check({path.name for path in (folder / "runs").iterdir()} == set(RUNS), "runs on the disk")
    check(len(list((folder / "shared").glob("*/subspace/subspace.json"))) == 1, "one calibration for all runs")
    check(len(list((folder / "shared").glob("*/corpus.jsonl"))) == 4, "a corpus each for psr, ssd and the two ranks")
    for name in RUNS:
        run = folder / "runs" / name
        scored = json.loads((run / "eval/gsm8k/results.json").read_text())["spd"]
        samples = read_lines(run / "eval/gsm8k/samples_gsm8k.jsonl")
        check(scored["n"] == 3 == len(samples), "three questions")
        check(scored["correct"] == sum(sample["exact_match"] for sample in samples), "sum of the scores")
        check("FINISHED" in (run / "log.txt").read_text(), "log")
        if name == "base-s7":
            check(not (run / "adapter").exists() and scored["kl_tokens"] == 0, "base has no adapter")
            continue
        rows = read_lines(run / "training_log.jsonl")
        check([row["step"] for row in rows] == [1, 2, 3, 4, 5, 6], f"three steps an epoch, {rows}")
        check(len(read_lines(run / "corpus.jsonl")) == 5, "the corpus is linked in the run")
        log = (run / "log.txt").read_text() + "".join(p.read_text() for p in run.glob("*/log.txt"))
        check("no intervention" in log.lower(), "the log says that no intervention is active in training")


def check_database(workspace):
    runs = workspace.query("SELECT run_id, name, status, folder FROM runs ORDER BY sequence")
    check([(name, status) for _, name, status, _ in runs] == [(name, "FINISHED") for name in RUNS], f"runs: {runs}")
    for run, name, _, _ in runs:
        stages = [row[0] for row in workspace.query("SELECT name FROM stages WHERE run_id = ? ORDER BY sequence", run)]
        expected = {"base": ["evaluate gsm8k"], "spd": ["calibrate", "generate", "train", "evaluate gsm8k"]}
        check(stages == expected.get(name.split("-")[0], ["generate", "train", "evaluate gsm8k"]), f"stages of {name}: {stages}")
        artifacts = workspace.query("SELECT path, sha256, size FROM artifacts WHERE run_id = ?", run)
        for path, digest, size in artifacts:
            file = Path(path) if path.startswith("/") else workspace.folder / path
            check(sha256(file) == digest and file.stat().st_size == size, f"artifact {path}")
        check(artifacts, "artifacts are recorded")
        if name.startswith("base"):
            continue
        log = read_lines(workspace.experiment() / "runs" / name / "training_log.jsonl")
        losses = workspace.query("SELECT step, value FROM metrics WHERE run_id = ? AND key = 'train/loss' ORDER BY step", run)
        check(losses == [(row["step"], row["loss"]) for row in log], "the curve in the database is that of the log")
        edges = set(workspace.query("SELECT from_kind, to_kind FROM lineage WHERE run_id = ?", run))
        check({("corpus", "adapter"), ("adapter", "results")} <= edges, f"lineage of {name}: {edges}")
        check((("subspace", "corpus") in edges) == name.startswith("spd"), f"lineage of {name}: {edges}")
        examples = workspace.query("SELECT example_id, gold, score FROM eval_examples WHERE run_id = ?", run)
        check(len(examples) == 3, "examples")
    params = dict(workspace.query("SELECT key, value FROM params WHERE run_id = ?", runs[3][0]))
    check(params["projection.rank_rule"] == "half_dim" and params["training.lr"] == "0.001", f"params: {params}")


def check_scores(workspace):
    for path in workspace.experiment().glob("runs/*/eval/gsm8k/samples_gsm8k.jsonl"):
        for sample in read_lines(path):
            text = sample["resps"][0][0]
            if any(mark in text for mark in ("####", "boxed", "nswer", "\n")) or "-" in text or "," in text:
                continue  # rules of their own, tested apart
            number = final_number(text)
            check(sample["filtered_resps"][0] == "[invalid]" if number is None else
                  float(sample["filtered_resps"][0]) == float(number), f"scored {sample}")


def check_divergence(workspace, checkpoint):
    from peft import PeftModel
    run = workspace.experiment() / "runs" / RUNS[3]
    scored = json.loads((run / "eval/gsm8k/results.json").read_text())["spd"]
    base = reference_model(checkpoint, torch.float32)
    tuned = PeftModel.from_pretrained(reference_model(checkpoint, torch.float32), run / "adapter").eval()
    from tokenizers import Tokenizer
    tokenizer = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    total, count = 0.0, 0
    for record in read_lines(run / "eval/gsm8k/completions.jsonl"):
        prompt = tokenizer.encode(record["prompt"]).ids
        check(len(prompt) == record["prompt_tokens"], "prompt tokens")
        ids = torch.tensor([prompt + record["completion_ids"]])
        with torch.no_grad():
            p = torch.log_softmax(tuned(ids).logits[0].double(), -1)
            q = torch.log_softmax(base(ids).logits[0].double(), -1)
        kl = (p.exp() * (p - q)).sum(-1)[len(prompt) - 1:-1]
        total, count = total + kl.sum().item(), count + len(kl)
    difference = abs(scored["mean_kl_to_base"] - total / count)
    print(f"measured: KL to base {total / count:.3e} nats a token; spd differs by {difference:.1e}")
    check(scored["kl_tokens"] == count, "tokens of the KL divergence")
    check(difference <= 1e-3 * total / count + 1e-7, f"KL {scored['mean_kl_to_base']} against {total / count}")
    check(total > 0, "the adapter moved the model")


def check_repeated(workspace):
    before = {path: path.stat().st_mtime_ns for path in workspace.experiment().rglob("*") if path.name in
              ("corpus.jsonl", "subspace.safetensors", "adapter_model.safetensors", "results.json")}
    outcome = json.loads(workspace.run("--json", "--resume").stdout)
    check(all(stage["skipped"] for stage in outcome["stages"]), "everything is there the second time")
    check({path: path.stat().st_mtime_ns for path in before} == before, "nothing is written the second time")
    [corpus] = [path for path in (workspace.experiment() / "runs/psr-s7").iterdir() if path.name == "corpus.jsonl"]
    text = corpus.read_text()
    corpus.resolve().write_text(text.replace('"completion"', '"completion" '))
    outcome = json.loads(workspace.run("--json").stdout)
    redone = [(stage["run"], stage["stage"]) for stage in outcome["stages"] if not stage["skipped"]]
    check(redone == [("psr-s7", "generate")], f"a touched corpus is made again, and what hangs on it stands: {redone}")
    check(corpus.read_text() == text, "with the same bytes")


def interrupt(workspace, delay, signal_number, expect):
    process = subprocess.Popen([SPD, *map(str, workspace.command())], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if delay is None:  # no time is right on a machine that others load: as soon as a stage has begun
        while process.poll() is None and not any("begun" in log.read_text().partition("\n")[2]
                                                 for log in workspace.folder.glob("experiments/*/runs/*/log.txt")):
            time.sleep(0.002)
    else:
        time.sleep(delay)
    process.send_signal(signal_number)
    start = time.monotonic()
    _, errors = process.communicate(timeout=60)
    check(process.returncode in (expect, 0), f"ended with {process.returncode} after signal {signal_number}: {errors}")
    return process.returncode == expect, time.monotonic() - start


def check_interruptions(root, checkpoint, unbroken, seconds):
    generator = random.Random(3)
    killed = 0
    for number in range(6):  # a machine that is quick today is through before its kill: then anew
        workspace = Workspace(root, f"killed-{number}", checkpoint)
        for _ in range(KILLS):
            hit = interrupt(workspace, generator.uniform(0.05, 0.6 * seconds), signal.SIGKILL, -signal.SIGKILL)[0]
            killed += hit
            if not hit:
                break
        workspace.run()
        check(workspace.results() == unbroken, "killed and gone on with: the same results")
        if killed >= KILLS:
            break
    stopped, waited = interrupt(Workspace(root, "stopped", checkpoint), None, signal.SIGINT, 130)
    check(stopped and waited < 10, f"SIGINT: stopped {stopped} after {waited:.1f} s")
    again = Workspace.__new__(Workspace)
    again.folder, again.file = root / "stopped", root / "stopped/tiny.toml"
    check("KILLED" in [row[0] for row in again.query("SELECT status FROM runs")], "an interrupted run is recorded as KILLED")
    again.run("--resume")
    check(again.results() == unbroken, "stopped and gone on with: the same results")
    check({row[0] for row in again.query("SELECT status FROM runs")} == {"FINISHED"}, "and then FINISHED")
    print(f"measured: {killed} random kills and a SIGINT ({waited:.1f} s) end in the same bytes")
    check(killed >= KILLS // 2, f"{killed} kills hit a run")


def check_refusals(root, checkpoint):
    workspace = Workspace(root, "refused", checkpoint)

    def refuse(text, expected, code=2, options=()):
        workspace.file.write_text(text)
        process = spd(*workspace.command(*options))
        check(process.returncode == code, f"{expected}: ended with {process.returncode}: {process.stderr}")
        check(expected in process.stderr and process.stderr.count("\n") == 1, f"{expected} is not in {process.stderr}")
        left = {path.name for path in workspace.folder.iterdir()} - {"models", "tiny.toml", "ranks.json"}
        check(not left, f"{expected}: something was begun: {left}")

    def refuse_both(text, expected, code=2):
        """Also without computing."""
        refuse(text, expected, code)
        refuse(text, expected, code, options=["--dry-run"])

    refuse(EXPERIMENT.replace("[task]", "[task]\nshots = 3"), "line 9: task.shots is no setting")
    refuse(EXPERIMENT.replace("[task]", '[corpus]\nfilter = "sdd"\n[task]'), "line 9: corpus.filter must be one of")
    refuse(EXPERIMENT.replace('"llama-plain"', '"nowhere/none"'), "nowhere/none")
    refuse(EXPERIMENT.replace("[task]", '[task]\ntrain = "gsm8k/test"').replace("n_train = 5", "n_train = 1300"), "gsm8k")
    refuse(EXPERIMENT.replace('task = "gsm8k"', 'task = "mmlu"'), "mmlu cannot be scored")
    refuse(EXPERIMENT.replace("n_train = 5", "n_train = 50000"), "50000")
    refuse(EXPERIMENT, "--resume", options=["--resume"])
    refuse(EXPERIMENT, "--seed", options=["--seed", "3"])
    refuse(EXPERIMENT.replace('rank_rule" = ["half_dim", 8]', 'rank_rule" = [1000]'), "rank")
    ranks = workspace.folder / "ranks.json"
    layers = 'layers = "LAYERS"\n[calibration]\nlayers = "MEASURED"\n'
    for used, measured, text in (("last_mid", "0,1", "line 14: projection.layers: layer 2 is not measured"),
                                 ("1", "last_mid", "line 14: projection.layers: layer 1 is not measured"),
                                 ("9", "all", "line 14: projection.layers: "), ("", "9", "line 16: calibration.layers: ")):
        projection = "[projection]\n" + layers.replace("LAYERS", used).replace("MEASURED", measured)
        refuse_both(EXPERIMENT.replace("[training]", projection + "[training]"), text)
    by_file = EXPERIMENT.replace('["half_dim", 8]', f'["half_dim", "file:{ranks}"]')
    refuse_both(by_file, f"line 23: projection.rank_rule: {ranks}")
    for text, expected, code in (("[1]", "must be a JSON object", 3), ('{"0.k": 2}', "has no rank", 3),
                                 ('{"0.k": 999, "0.v": 2, "2.k": 2, "2.v": 2}', "asks for rank 999", 2)):
        ranks.write_text(text)
        refuse_both(by_file, f"line 23: projection.rank_rule: ", code)
        refuse_both(by_file, expected, code)
    refuse_both(EXPERIMENT.replace("[sweep]", '[[evaluate]]\ntask = "gsm8k"\nlimit = 2\n[sweep]'), "line 22: evaluate: gsm8k")
    missing = spd("run", workspace.folder / "none.toml", "--workspace", workspace.folder)
    check(missing.returncode == 2 and missing.stderr.count("\n") == 1, f"no file: {missing.stderr}")


def check_filters(root, checkpoint):
    """Another filter trains on other completions of the same corpus; what it left out is counted everywhere."""
    workspace = Workspace(root, "filtered", checkpoint)
    text = EXPERIMENT.replace('methods = ["base", "psr", "ssd", "spd"]', 'methods = ["psr", "ssd"]')
    text = text.replace("[training]", '[corpus]\nssd_filter = "none"\n[training]').replace("n_train = 5", "n_train = 12")
    text = text.replace("max_new_tokens = 12", "max_new_tokens = 60")
    text = text[:text.index("[[evaluate]]")]
    workspace.file.write_text(text + '[sweep]\n"corpus.filter" = ["none", "ssd"]\n')
    dry = json.loads(workspace.run("--dry-run", "--json").stdout)["runs"]
    check([run["corpus_filter"] for run in dry] == ["none", "none", "ssd"], f"filters of the dry run: {dry}")
    check("corpus filter ssd" in workspace.run("--dry-run").stdout, "a dry run says that a filter comes")
    outcome = json.loads(workspace.run("--json").stdout)
    made = [(stage["run"], stage["skipped"]) for stage in outcome["stages"] if stage["stage"] == "generate"]
    check(made == [("psr-s7-filter=none", False), ("ssd-s7", False), ("psr-s7-filter=ssd", True)],
          f"a filter makes no new corpus: {made}")
    run = workspace.experiment() / "runs/psr-s7-filter=ssd"
    completions = [row["completion"] for row in read_lines(run / "corpus.jsonl")]
    empty = sum(not completion.strip() for completion in completions)
    single = sum(bool(completion.strip()) and not re.search("[\r\n]", completion.strip()) for completion in completions)
    kept = len(completions) - empty - single
    check(0 < kept < len(completions), f"completions that a filter tells apart: {kept} of {len(completions)}")
    said = f"{kept} of {len(completions)} completions kept (left out: empty {empty}, single line {single}, shortest 0)"
    [result] = [stage["result"] for stage in outcome["stages"] if stage["run"] == run.name and stage["stage"] == "train"]
    check(said in result and (run / "log.txt").read_text().count(said) == 2, f"{said}: {result}")
    record = json.loads((run / "stages/train.json").read_text())
    check(record["inputs"]["corpus_filter"] == "ssd", "the filter is an input of the stage")
    check(record["summary"]["corpus"]["kept"] == kept and record["summary"]["corpus"]["dropped"]["empty"] == empty, "and its counts")
    provenance = json.loads((run / "adapter/spd_provenance.json").read_text())
    check(provenance["corpus_filter"]["dropped"]["single_line"] == single and provenance["examples"] == kept, "provenance")
    other = workspace.experiment() / "runs/psr-s7-filter=none"
    check(sha256(run / "adapter/adapter_model.safetensors") != sha256(other / "adapter/adapter_model.safetensors"), "other adapters")
    [param] = workspace.query("SELECT value FROM params JOIN runs USING (run_id) WHERE name = ? AND key = 'corpus.filter'", run.name)
    check(param == ("ssd",), f"param {param}")
    resolved = tomllib.loads((workspace.experiment() / "experiment.toml").read_text())
    check(resolved["corpus"] == {"filter": "none", "ssd_filter": "none"}, f"the resolved file has the keys: {resolved['corpus']}")
    out = root / "filtered-by-train"
    process = spd("train", checkpoint, "--corpus", (run / "corpus.jsonl").resolve(), "--out", out, "--corpus-filter", "ssd", "--dtype",
                  "float32", "--epochs", 2, "--lr", "1e-3", "--batch-size", 2, "--seed", 7, "--threads", 1, "--json")
    check(process.returncode == 0 and json.loads(process.stdout)["corpus"]["kept"] == kept, f"spd train: {process.stderr}")
    check(sha256(out / "adapter/adapter_model.safetensors") == sha256(run / "adapter/adapter_model.safetensors"), "the same adapter")
    single_line = root / "single.jsonl"
    single_line.write_text('{"prompt": "a", "completion": "b"}\n')
    process = spd("train", checkpoint, "--corpus", single_line, "--out", root / "nothing", "--corpus-filter", "ssd")
    check(process.returncode == 2 and "leaves nothing of 1 completions" in process.stderr and process.stderr.count("\n") == 1
          and not (root / "nothing").exists(), f"nothing kept: {process.stderr}")
    print(f"measured: corpus filter ssd kept {kept} of {len(completions)} completions, as Python counts them")


def check_damaged_adapter(workspace, unbroken):
    """What lies in adapter/ is what training wrote, or is written again: never a damaged file with a hash of its own."""
    adapter = workspace.experiment() / "runs/spd-s7-rank_rule=8/adapter"
    model = adapter / "adapter_model.safetensors"

    def restored(what):
        outcome = json.loads(workspace.run("--json").stdout)
        redone = [(stage["run"], stage["stage"]) for stage in outcome["stages"] if not stage["skipped"]]
        check(redone == [("spd-s7-rank_rule=8", "train")], f"{what}: the training is restored, and nothing else: {redone}")
        check(workspace.results() == unbroken, f"{what}: with the same bytes")
        rows = workspace.query("SELECT sha256 FROM artifacts WHERE path LIKE ?", "%rank_rule=8/adapter/adapter_model.safetensors")
        check(rows == [(sha256(model),)], f"{what}: and recorded as it was")

    content = bytearray(model.read_bytes())
    content[len(content) // 2] ^= 1
    model.write_bytes(content)
    restored("a flipped byte")
    model.unlink()
    restored("a removed file")
    shutil.rmtree(adapter)
    shutil.rmtree(adapter.parent / "checkpoints")
    restored("adapter and checkpoints removed")
    check("trained again" in (adapter.parent / "log.txt").read_text(), "the log says so")


def check_failing_run(workspace):
    """What fails one run, whatever threw it, is recorded in a line, and the runs behind it are done."""
    link = workspace.experiment() / "runs/psr-s7/corpus.jsonl"
    target = link.readlink()
    link.unlink()
    (link / "in the way").mkdir(parents=True)
    outcome = json.loads(workspace.run("--json", expect=1).stdout)
    check({run["name"]: run["status"] for run in outcome["runs"]} ==
          {name: "FAILED" if name == "psr-s7" else "FINISHED" for name in RUNS}, f"{outcome['runs']}")
    rows = dict(workspace.query("SELECT name, status FROM runs"))
    check(rows == {name: "FAILED" if name == "psr-s7" else "FINISHED" for name in RUNS}, f"recorded: {rows}")
    [[error]] = workspace.query("SELECT error FROM runs WHERE name = 'psr-s7'")
    check("corpus.jsonl" in error and "\n" not in error and "internal" not in error, f"reason: {error}")
    shutil.rmtree(link)
    workspace.run()
    check(link.readlink() == target and set(workspace.query("SELECT status FROM runs")) == {("FINISHED",)}, "and then it is done")


def check_rank_file(root, checkpoint):
    """Ranks out of a file are an input: others make another experiment, and another corpus."""
    workspace = Workspace(root, "ranks", checkpoint)
    ranks = workspace.folder / "ranks.json"
    text = EXPERIMENT.replace('methods = ["base", "psr", "ssd", "spd"]', 'methods = ["spd"]')
    text = text[:text.index("[[evaluate]]")] + f'[projection]\nrank_rule = "file:{ranks}"\n'
    workspace.file.write_text(text)
    made = {}
    for rank in (1, 8):
        ranks.write_text(json.dumps({target: rank for target in ("0.k", "0.v", "2.k", "2.v")}))
        outcome = json.loads(workspace.run("--json").stdout)
        check(not any(stage["skipped"] for stage in outcome["stages"]), f"ranks {rank}: {outcome['stages']}")
        [run] = outcome["runs"]
        made[rank] = sha256((Path(run["folder"]) / "corpus.jsonl").resolve())
        params = dict(workspace.query("SELECT key, value FROM params WHERE run_id = ?", run["id"]))
        check(params["projection.ranks_sha256"] == sha256(ranks), "the ranks' hash is recorded")
    check(made[1] != made[8], "other ranks make another corpus")
    outcome = json.loads(workspace.run("--json", "--resume").stdout)
    check(all(stage["skipped"] for stage in outcome["stages"]), "the same ranks are there already")
    check(len(list((workspace.folder / "experiments").iterdir())) == 2, "two experiments")


def check_dry_runs():
    files = sorted((SOURCE / "experiments").glob("*.toml"))
    check(len(files) == 7, f"experiments: {files}")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "models").mkdir()
        (Path(folder) / "models/smollm2-135m-instruct").symlink_to(sample_model())
        for path in files:
            process = spd("run", path, "--dry-run", "--json", "--workspace", folder)
            check(process.returncode == 0, f"{path.name}: {process.stderr}")
            runs = json.loads(process.stdout)["runs"]
            stages = [stage for run in runs for stage in run["stages"]]
            prompts = sum(stage["items"] for stage in stages if stage["stage"] == "generate")
            tokens = sum(stage["tokens"] for stage in stages) / 1e6
            minutes = sum(stage["seconds_on_one_h100"] for stage in stages) / 60
            memory = max(stage["memory_bytes"] for stage in stages) / 2**30
            said = re.search(r"^# (\d+) runs, ([\d,]+) prompts, ([\d.,]+) million tokens, ([\d.,]+) minutes on one H100, "
                             r"([\d.]+) GiB", path.read_text(), re.M)
            check(said, f"{path.name} does not open with its arithmetic; it is: # {len(runs)} runs, {prompts:,} prompts, "
                        f"{tokens:,.1f} million tokens, {minutes:,.1f} minutes on one H100, {memory:.1f} GiB")
            found = [float(part.replace(",", "")) for part in said.groups()]
            for value, expected in zip(found, (len(runs), prompts, tokens, minutes, memory)):
                check(abs(value - expected) <= 0.02 * expected + 0.051, f"{path.name} says {value} where it is {expected}")
        check([path.name for path in Path(folder).iterdir()] == ["models"], "a dry run writes nothing")


def main():
    check_dry_runs()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_tiny_checkpoints(root / "checkpoints", (MODEL,))
        checkpoint = root / "checkpoints" / MODEL
        workspace = Workspace(root, "whole", checkpoint)
        start = time.monotonic()
        process = workspace.run()
        seconds = time.monotonic() - start
        check("do not decide" in process.stdout, f"what 3 questions show: {process.stdout}")
        check_files(workspace)
        check_database(workspace)
        check_scores(workspace)
        check_divergence(workspace, checkpoint)
        unbroken = workspace.results()
        check_repeated(workspace)
        check_damaged_adapter(workspace, unbroken)
        check_failing_run(workspace)
        check_rank_file(root, checkpoint)
        check_interruptions(root, checkpoint, unbroken, seconds)
        check_refusals(root, checkpoint)
        check_filters(root, checkpoint)
    print(f"measured: {checks} checks of spd run passed")


main()
