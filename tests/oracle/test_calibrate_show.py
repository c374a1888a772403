"""`spd calibrate --show`: the examples of a task with the tokens of their spans marked, against `tokenizers`; in brackets where
standard output is no terminal, in colours where it is; without --out nothing is calibrated or written."""
import json
import os
import pty
import re
import sys
import tempfile
from pathlib import Path

from support import SOURCE, SPD, sample_model, sample_tokenizer, spd, write_lines

GSM8K = [json.loads(line) for line in (SOURCE / "resources/datasets/gsm8k/train.jsonl").read_bytes().splitlines()]
FIRST = [7457, 1427, 5640]  # of the permutation of 7,473 rows by seed 42, computed with another Philox


def expect(condition, text):
    if not condition:
        sys.exit(text)


def on_terminal(*arguments, **environment):
    """Standard output of spd when it is a terminal."""
    pid, descriptor = pty.fork()
    if pid == 0:
        os.execve(SPD, [str(SPD), *map(str, arguments)], os.environ | {"TERM": "xterm"} | environment)
    output = b""
    try:
        while piece := os.read(descriptor, 65536):
            output += piece
    except OSError:  # the other end is closed
        pass
    expect(os.waitpid(pid, 0)[1] == 0, f"on a terminal: {output.decode()}")
    return output.decode().replace("\r\n", "\n")


def targets_of(tokenizer, row):
    """Texts of the tokens that meet the number after ####."""
    text = f"Question: {row['question']}\nAnswer: {row['answer']}"
    begin, end = re.search(r"#### (-?[\d,.]+)\Z", text).span(1)
    offsets = tokenizer.encode(text).offsets
    return text, [text[a:b] for a, b in offsets if a < end and b > begin]


def check_task(model, tokenizer, folder):
    command = ("calibrate", model, "--task", "math", "--n", "3", "--show")
    process = spd(*command, cwd=folder)
    expect(process.returncode == 0, process.stderr)
    blocks = re.split(r"^-- \d+\. ", process.stdout, flags=re.M)[1:]
    expect(len(blocks) == 3, f"{len(blocks)} examples are shown: {process.stdout}")
    marked = 0
    for block, number in zip(blocks, FIRST):
        head, body = block.split("\n", 1)
        text, targets = targets_of(tokenizer, GSM8K[number])
        expect(head.startswith(f'"gsm8k/train/{number}": {len(tokenizer.encode(text).ids)} tokens, {len(targets)} in'), head)
        expect(re.findall("\u27e6(.*?)\u27e7", body) == targets, f"{number}: {body}")
        expect(body.replace("\u27e6", "").replace("\u27e7", "").rstrip("\n") == text, f"{number}: another text")
        marked += len(targets)
    shown = json.loads(spd(*command, "--json", cwd=folder).stdout)["shown"]
    expect([[token["text"] for token in example["targets"]] for example in shown] ==
           [targets_of(tokenizer, GSM8K[number])[1] for number in FIRST], f"{shown}")
    coloured = on_terminal(*command)
    expect(len(re.findall(r"\x1b\[30;4[26]m.*?\x1b\[0m", coloured)) == marked and "\u27e6" not in coloured, coloured)
    plain = on_terminal(*command, NO_COLOR="1")
    expect(plain.count("\u27e6") == marked and "\x1b" not in plain, plain)
    expect(not list(folder.iterdir()), "--show wrote something")
    print(f"measured: {marked} marked tokens in {len(blocks)} examples, as `tokenizers` finds them")


def check_file(model, folder):
    examples = folder / "examples.jsonl"
    write_lines(examples, [{"id": "own", "prompt": "a\x1b[2J", "completion": " 48.", "spans": [[1, 3]]},
                           {"input_ids": [1, 2, 3], "target_positions": [2]}])
    process = spd("calibrate", model, "--examples", examples, "--show")
    expect(process.returncode == 0 and "\x1b" not in process.stdout and "\\x1b[2J" in process.stdout, process.stdout)
    expect('"own"' in process.stdout and "-- 2. 1: 3 tokens, 1 in the span" in process.stdout, process.stdout)
    neither = spd("calibrate", model, "--examples", examples)
    expect(neither.returncode == 2 and "--out" in neither.stderr and neither.stderr.count("\n") == 1, neither.stderr)


with tempfile.TemporaryDirectory() as name:
    work = Path(name) / "empty"
    work.mkdir()
    check_task(sample_model(), sample_tokenizer(sample_model()), work)
    check_file(sample_model(), Path(name))
