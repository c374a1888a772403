"""What `spd train` promises beside its numbers: a signal ends it at once and --resume goes on to the same bytes, refusals leave
nothing behind, memory stays below the forecast, held-out loss, early stop and the best adapter, corpora of `spd generate`.
"""
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from transformers.utils import logging

import training_reference as reference
from make_tiny_checkpoints import make_tiny_checkpoints
from support import SOURCE, SPD, generate, read_lines, sample_model, spd, write_lines
from tiny_tokenizer import EOS

TRAIN = SOURCE / "resources/datasets/gsm8k/train.jsonl"
SECONDS_TO_LEAVE = 10


def rows(count, longest=150):
    return [{"prompt": f"Question: {row['question'][:longest]}\nAnswer:", "completion": f" {row['answer'][:longest]}"}
            for row in read_lines(TRAIN)[:count]]


def train(model, corpus, out, *options, code=0):
    process = spd("train", model, "--corpus", corpus, "--out", out, "--threads", 1, *options)
    assert process.returncode == code, (process.returncode, process.stdout, process.stderr)
    return process


def losses(out):
    return [{key: value for key, value in line.items() if key != "tokens_per_second"}
            for line in read_lines(out / "training_log.jsonl")]


def same_result(left, right):
    assert losses(left) == losses(right)
    for file in ("adapter_model.safetensors", "adapter_config.json", "spd_provenance.json", "README.md"):
        assert (left / "adapter" / file).read_bytes() == (right / "adapter" / file).read_bytes(), file


def wait_for_steps(out, steps, process):
    log = out / "training_log.jsonl"
    while not log.exists() or log.read_text().count("\n") < steps:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def check_signals(model, corpus, temporary):
    options = ("--corpus", corpus, "--epochs", 2, "--batch-size", 2, "--lr", "1e-4", "--threads", 1)
    whole = temporary / "whole"
    assert spd("train", model, *options, "--out", whole).returncode == 0
    broken = temporary / "broken"
    slowest = 0.0
    for number, (name, code) in enumerate(((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGTERM, 143)), start=1):
        process = subprocess.Popen([str(a) for a in (SPD, "train", model, *options, "--out", broken, "--resume")],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for_steps(broken, number, process)
        time.sleep(0.3)  # into the next step
        start = time.monotonic()
        process.send_signal(name)
        process.wait()
        slowest = max(slowest, time.monotonic() - start)
        assert process.returncode == code, (process.returncode, process.communicate())
        assert "--resume goes on from there" in process.stderr.read()
    finished = spd("train", model, *options, "--out", broken, "--resume", "--json")
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["resumed_steps"] >= 3
    same_result(whole, broken)
    print(f"measured: sample model, ended within {slowest:.1f} s of a signal three times; resumed to the bytes of an unbroken run",
          flush=True)
    assert slowest <= SECONDS_TO_LEAVE


def check_other_threads(model, temporary):
    """Gone on with on more threads, it is said once, on the terminal and in the log, that the last digits may differ."""
    corpus, out, other = temporary / "long.jsonl", temporary / "one", temporary / "two"
    write_lines(corpus, rows(8))
    options = ("--corpus", corpus, "--epochs", 12, "--batch-size", 2, "--resume")
    process = subprocess.Popen([str(a) for a in (SPD, "train", model, *options, "--out", out, "--threads", 1)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_steps(out, 3, process)
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 143, process.communicate()
    shutil.copytree(out, other)
    [state, *_] = sorted((out / "checkpoints").glob("step-*/state.json"), reverse=True)
    assert json.loads(state.read_text())["threads"] == 1
    said = "the steps so far were computed on 1 thread, the rest is on 2"
    for folder, threads, count in ((out, 1, 0), (other, 2, 1)):
        process = spd("train", model, *options, "--out", folder, "--threads", threads)
        assert process.returncode == 0 and process.stderr.count(said) == count == process.stderr.count("\n"), process
        assert (folder / "log.txt").read_text().count(said) == count


def check_memory(model, corpus, temporary, *options):
    for recompute in ("off", "full"):
        process = train(model, corpus, temporary / "memory", "--epochs", 1, "--recompute", recompute, "--json", "--overwrite",
                        *options)
        result = json.loads(process.stdout)
        assert result["recompute"] == recompute
        share = result["peak_bytes"] / result["forecast_bytes"]
        print(f"measured: memory, {model.name} {' '.join(options)}, recompute {recompute}: forecast "
              f"{result['forecast_bytes'] / 2**20:.0f} MiB, peak {result['peak_bytes'] / 2**20:.0f} MiB ({share:.2f} of it)",
              flush=True)
        assert 0.5 < share <= 1.0, share


def check_refusals(model, temporary):
    good, out = temporary / "good.jsonl", temporary / "refused"
    write_lines(good, rows(4))
    long = temporary / "long.jsonl"
    write_lines(long, [*rows(2), {"prompt": "x y " * 3000, "completion": "z"}, {"prompt": "a", "completion": "b" * 9000}])
    process = train(model, long, out, "-v", code=3)
    assert "line 3" in process.stderr and "line 4" in process.stderr and "positions" in process.stderr, process.stderr
    train(model, temporary / "absent.jsonl", out, code=2)
    train(temporary / "absent", good, out, code=2)
    for options, word in ((("--epochs", 0), "--epochs"), (("--dropout", 1), "--dropout"), (("--keep-best",), "--held-out"),
                          (("--early-stop", 2), "--held-out"), (("--held-out", 1.5), "--held-out"), (("--dtype", "float16"), "float32"),
                          (("--lr", "nan"), "--lr"), (("--recompute", "some"), "--recompute"), (("--r", 0), "--r")):
        process = train(model, good, out, *options, code=2)
        assert word in process.stderr and process.stderr.count("\n") == 1, process.stderr
    assert not out.exists()


def check_held_out(model, temporary):
    """The loss of the file after each epoch is the reference's; the best epoch's adapter is written; patience ends the run."""
    corpus, held_out = temporary / "corpus.jsonl", temporary / "held_out.jsonl"
    write_lines(corpus, rows(12))
    write_lines(held_out, [{"prompt": "zzz", "completion": "!" * 30}, {"prompt": "q", "completion": "?" * 9}])
    out = temporary / "held"
    options = ("--dtype", "float32", "--epochs", 8, "--lr", "2e-2", "--held-out", held_out, "--keep-best", "--early-stop", 2, "--json")
    result = json.loads(train(model, corpus, out, *options).stdout)
    log = [line for line in read_lines(out / "training_log.jsonl") if "held_out_nll" in line]
    assert [line["epoch"] for line in log] == list(range(1, len(log) + 1)) and all(line["step"] % 2 == 0 for line in log)
    best = min(log, key=lambda line: line["held_out_nll"])
    assert result["held_out_nll"] == best["held_out_nll"] and result["adapter_step"] == best["step"]
    assert result["stopped_early"] and len(log) < 8 and log[-1]["epoch"] == best["epoch"] + 2, (result, log)
    examples = reference.sequences(model, read_lines(held_out), EOS)
    tuned = reference.tuned(model, out / "adapter", torch.float32).eval()
    with torch.no_grad():
        expected = reference.mean_loss(tuned, examples).item()
    difference = abs(best["held_out_nll"] - expected) / expected
    print(f"measured: held-out loss of the written adapter against peft: relative difference {difference:.2g}; stopped after "
          f"{len(log)} of 8 epochs, the best was {best['epoch']}", flush=True)
    assert difference < 1e-4
    share = json.loads(train(model, corpus, temporary / "share", "--held-out", 0.25, "--epochs", 1, "--json").stdout)
    assert share["examples"] == 9 and share["held_out"] == 3 and share["held_out_nll"] > 0


def check_generated(model, temporary):
    """What spd generate wrote is trained on as the ids that it was, whatever its text would be tokenised to."""
    prompts, corpus = temporary / "prompts.jsonl", temporary / "made.jsonl"
    write_lines(prompts, [{"prompt": row["prompt"][:60]} for row in rows(6)])
    records = generate(model, prompts, corpus, "--max-new-tokens", 20)
    out = temporary / "of-generated"
    train(model, corpus, out, "--epochs", 1, "--batch-size", 6)
    line, = read_lines(out / "training_log.jsonl")
    assert line["tokens"] == sum(record["prompt_tokens"] + record["completion_tokens"] - 1 for record in records), (line, records)
    provenance = json.loads((out / "adapter/spd_provenance.json").read_text())
    assert provenance["corpus_made_by"]["max_new_tokens"] == 20 and provenance["settings"]["epochs"] == 1


def check_init_adapter(model, temporary):
    """Rank and alpha of a run that starts from an adapter are the adapter's, in every record."""
    corpus = temporary / "init.jsonl"
    write_lines(corpus, rows(4))
    first, second = temporary / "first", temporary / "second"
    train(model, corpus, first, "--epochs", 1, "--r", 4, "--alpha", 32)
    train(model, corpus, second, "--epochs", 1, "--init-adapter", first / "adapter")
    for record in (second / "train.meta.json", second / "adapter/spd_provenance.json"):
        settings = json.loads(record.read_text())["settings"]
        assert (settings["r"], settings["alpha"]) == (4, 32), (record, settings)
    config = json.loads((second / "adapter/adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (4, 32), config


def main():
    logging.disable_progress_bar()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        tiny, = make_tiny_checkpoints(temporary / "tiny", ("llama-llama3-tied",))
        check_refusals(tiny, temporary)
        check_held_out(tiny, temporary)
        check_generated(tiny, temporary)
        check_other_threads(tiny, temporary)
        check_init_adapter(tiny, temporary)
        sample, corpus = sample_model(), temporary / "sample.jsonl"
        write_lines(corpus, rows(6, 60))
        check_signals(sample, corpus, temporary)
        write_lines(corpus, rows(1, 1500))
        check_memory(sample, corpus, temporary)
        check_memory(sample, corpus, temporary, "--dtype", "float32")


if __name__ == "__main__":
    main()
