"""The same prompts give the same file, byte for byte: for any batch, order of prompts, number of threads, and when the run
was killed and started again. In float32 and bfloat16, greedy and sampled, on tiny checkpoints and the sample model.
"""
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from make_tiny_checkpoints import make_tiny_checkpoints
from support import GSM8K_TEST, SPD, generate, read_lines, sample_model, write_lines

SAMPLED = ("--temperature", "0.9", "--top-k", "50", "--top-p", "0.95", "--repetition-penalty", "1.1")
LAYOUTS = ((1, 1), (3, 2), (8, 1), (8, 2), (16, 2))  # batch, threads


def prompts(count):
    rows = read_lines(GSM8K_TEST)[100:100 + count]
    return [{"id": f"q{i}", "prompt": row["question"][:20 + 37 * i % 200]} for i, row in enumerate(rows)]


def by_id(records):
    return {record["id"]: json.dumps(record, sort_keys=True) for record in records}


def check_layouts(model, folder, rows, options):
    source = folder / "prompts.jsonl"
    write_lines(source, rows)
    reference = None
    for batch, threads in LAYOUTS:
        out = folder / f"b{batch}t{threads}.jsonl"
        generate(model, source, out, "--batch", batch, "--threads", threads, *options)
        content = out.read_bytes()
        reference = reference or content
        if content != reference:
            sys.exit(f"{model} {options}: batch {batch}, {threads} threads gave another file than batch 1, 1 thread")
    shuffled = rows[:]
    random.Random(1).shuffle(shuffled)
    write_lines(folder / "shuffled.jsonl", shuffled)
    other = generate(model, folder / "shuffled.jsonl", folder / "out_shuffled.jsonl", "--batch", 3, *options)
    if by_id(other) != by_id(json.loads(line) for line in reference.decode().splitlines()):
        sys.exit(f"{model} {options}: shuffled prompts gave other completions")
    return reference


def records_in(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def kill_once(command, partial, records):
    """Starts the run and ends it with SIGKILL when that many records are on the disk; whether it was still running then."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and records_in(partial) < records:
        time.sleep(0.002)
    was_running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return was_running


def check_killed(model, folder, options, reference, count):
    """Kills the run before its first record, after some, and then lets it end; the number of kills that met it running."""
    out = folder / "killed.jsonl"
    partial = out.with_name("killed.partial.jsonl")
    command = [str(a) for a in (SPD, "generate", model, "--prompts", folder / "prompts.jsonl", "--out", out, "--batch", 3, *options)]
    killed = sum(kill_once(command, partial, records) for records in (0, 1 + count // 4, 1 + count // 2))
    kept = records_in(partial)
    end = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    resumed = json.loads(end.stdout)["resumed"]
    if killed < 2 or not 0 < resumed < count or resumed < kept - 1:
        sys.exit(f"{model} {options}: {killed} kills, {kept} lines kept, {resumed} resumed: proves nothing")
    if out.read_bytes() != reference:
        sys.exit(f"{model} {options}: killed {killed} times and resumed, the file is another")
    return killed


def main():
    files = kills = 0
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        tiny = make_tiny_checkpoints(temporary / "tiny")
        cases = [(model, 24, 100) for model in tiny[:4]] + [(sample_model(), 10, 40)]
        for number, (model, count, new_tokens) in enumerate(cases):
            for dtype in ("float32", "bfloat16"):
                for name, sampling in (("greedy", ("--greedy",)), ("sampled", SAMPLED)):
                    folder = temporary / f"{number}-{dtype}-{name}"
                    folder.mkdir()
                    options = ("--dtype", dtype, "--max-new-tokens", str(new_tokens), *sampling)
                    reference = check_layouts(model, folder, prompts(count), options)
                    kills += check_killed(model, folder, options, reference, count)
                    files += len(LAYOUTS) + 2
    print(f"measured: {files} files of generate, byte for byte equal within their model, type and sampling; "
          f"{kills} kills resumed")


if __name__ == "__main__":
    main()
