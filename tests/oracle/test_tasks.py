"""Data sets, prompts and correctness spans against Python's csv, json, re and ast and the `tokenizers` library: every row
of GSM8K, MBPP and MMLU's training data, the same text, the same ids and the same target tokens."""
import ast
import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from support import SOURCE, sample_model, sample_tokenizer

DRIVER = Path(os.environ["SPD_BIN"]) / "task_driver"
DATA = SOURCE / "resources/datasets"


def lines_of(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]  # of bytes: U+2028 ends no line


def gsm8k(split):
    for number, row in enumerate(lines_of(DATA / f"gsm8k/{split}.jsonl")):
        prompt = f"Question: {row['question']}\nAnswer:"
        completion = f" {row['answer']}"
        mark = re.search(r"#### (-?[\d,]*\.?\d+)\Z", completion)
        yield f"gsm8k/{split}/{number}", prompt, prompt, completion, [mark.span(1)]


def mmlu(split):
    number = 0
    for path in sorted((DATA / "mmlu" / split).glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for question, a, b, c, d, letter in csv.reader(file):
                prompt = f"{question.strip()}\nA. {a}\nB. {b}\nC. {c}\nD. {d}\nAnswer:"
                yield f"mmlu/{split}/{number}", prompt, prompt, f" {letter}", [(1, 2)]
                number += 1


def expected_value(assertion):
    """The right side of the comparison by Python's own parser, as characters of an assertion of one line or more."""
    comparison = ast.parse(assertion).body[0].test
    if not isinstance(comparison, ast.Compare) or len(comparison.ops) != 1 or not isinstance(comparison.ops[0], ast.Eq):
        return None
    value = comparison.comparators[0]
    lines = assertion.encode().splitlines(keepends=True)
    at = [len(b"".join(lines[:line - 1])) + column
          for line, column in ((value.lineno, value.col_offset), (value.end_lineno, value.end_col_offset))]
    return tuple(len(assertion.encode()[:offset].decode()) for offset in at)


def mbpp(span, tests_in_prompt):
    for row in lines_of(DATA / "mbpp/mbpp.jsonl"):
        if not 511 <= row["task_id"] <= 974:
            continue
        prompt = f"{row['text']}\nYour code should pass these tests:\n" + "\n".join(row["test_list"]) + "\n"
        tests = [test.strip(" \t\r\n") for test in row["test_list"]]
        spans, completion = [], row["code"] + "\n"
        for test in tests if span == "all_assertions" else tests[:1]:
            completion += "\n" if spans else ""
            here = expected_value(test) if span == "expected_value" else (0, len(test))
            if here:
                spans.append((len(completion) + here[0], len(completion) + here[1]))
            completion += test
        split = "validation" if row["task_id"] <= 600 else "train"
        yield (f"mbpp/{split}/{row['task_id']}", prompt, prompt if tests_in_prompt else row["text"] + "\n", completion,
               spans)


def differences(got, expected, tokenizer):
    """What a line of the driver gets wrong, by name; the number of target tokens."""
    name, prompt, example_prompt, completion, spans = expected
    if got["id"] != name or got["prompt"] != prompt:
        return f"{got['id']}: another row or prompt than {name}", 0
    if not spans:
        return (None if "missing" in got else f"{name}: a span where Python finds none"), 0
    if "missing" in got:
        return f"{name}: {got['missing']}", 0
    if got["example_prompt"] != example_prompt or got["completion"] != completion:
        return f"{name}: another text", 0
    encoding = tokenizer.encode(example_prompt + completion)
    shift = len(example_prompt)
    targets = [t for t, (begin, end) in enumerate(encoding.offsets)
               if any(begin < shift + to and end > shift + start for start, to in spans)]
    prompt_tokens = next(t for t, (_, end) in enumerate(encoding.offsets) if end > shift)
    if got["input_ids"] != encoding.ids or got["targets"] != targets or got["prompt_tokens"] != prompt_tokens:
        return f"{name}: other tokens", 0
    return None, len(targets)


def compare(tokenizer, folder, task, data_set, expected, *options):
    process = subprocess.run([DRIVER, folder, task, data_set, *options], capture_output=True)
    if process.returncode != 0:
        sys.exit(f"task_driver {data_set}: {process.stderr.decode()}")
    rows = [json.loads(line) for line in process.stdout.splitlines()]
    expected = list(expected)
    if len(rows) != len(expected):
        sys.exit(f"{data_set}: {len(rows)} rows, {len(expected)} are there")
    wrong, targets = [], []
    for got, wanted in zip(rows, expected):
        difference, count = differences(got, wanted, tokenizer)
        wrong += [difference] if difference else []
        targets += [count] if count else []
    if wrong:
        sys.exit(f"{data_set} {' '.join(options)}: {len(wrong)} rows differ, the first: {wrong[0]}")
    targets.sort()
    print(f"measured: {data_set} {' '.join(options)}: {len(rows)} rows equal, {len(targets)} with a span of "
          f"{targets[0]} to {targets[-1]} tokens (median {targets[len(targets) // 2]})")


def main():
    folder = sample_model()
    tokenizer = sample_tokenizer(folder)
    tokenizer.no_truncation()
    compare(tokenizer, folder, "math", "gsm8k/train", gsm8k("train"))
    compare(tokenizer, folder, "math", "gsm8k/test", gsm8k("test"))
    for options in (["first_assertion"], ["expected_value"], ["all_assertions", "tests"]):
        compare(tokenizer, folder, "code", "mbpp/train", mbpp(options[0], len(options) > 1), *options)
    for split in ("val", "auxiliary_train", "test"):
        compare(tokenizer, folder, "qa", f"mmlu/{split}", mmlu(split))


main()
