"""The contract of `spd generate`'s command line on a tiny checkpoint: refusals are one line with a defined exit code and leave
nothing behind; a stop request ends within two seconds and keeps what is done; ids come back as they were.
"""
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from make_tiny_checkpoints import make_tiny_checkpoints
from support import SPD, generate, read_lines, spd, write_lines


def expect(condition, text):
    if not condition:
        sys.exit(text)


def refusals(model, folder):
    """(name, prompts file content or None, extra options, exit code, words of the message)"""
    long_prompt = "two plus two " * 4000
    good = '{"prompt": "a"}\n'
    return [
        ("no prompts file", None, [], 2, ["prompts.jsonl"]),
        ("not JSON", '{"prompt": "a"}\n{"prompt": \n', [], 3, ["prompts.jsonl", "line 2"]),
        ("no prompt", '{"id": 1}\n', [], 3, ["prompts.jsonl", "line 1"]),
        ("prompt of a wrong type", '{"prompt": 3}\n', [], 3, ["prompts.jsonl", "line 1"]),
        ("two bad lines", '{"prompt": 3}\n{"prompt": 4}\n', [], 3, ["prompts.jsonl", "line 1", "1 more"]),
        ("equal ids", '{"id": 7, "prompt": "a"}\n{"id": 7, "prompt": "b"}\n', [], 3, ["prompts.jsonl", "line 2"]),
        ("over-long prompt", json.dumps({"prompt": long_prompt}) + "\n", [], 3, ["prompts.jsonl", "line 1", "positions"]),
        ("messages without --chat", '{"messages": [{"role": "user", "content": "a"}]}\n', [], 3, ["line 1", "--chat"]),
        ("no template", good, ["--chat"], 2, ["chat template"]),
        ("temperature 0", good, ["--temperature", "0"], 2, ["temperature"]),
        ("top-p 2", good, ["--top-p", "2"], 2, ["top_p"]),
        ("batch 0", good, ["--batch", "0"], 2, ["batch"]),
        ("no new tokens", good, ["--max-new-tokens", "0"], 2, ["max_new_tokens"]),
        ("empty stop string", good, ["--stop", ""], 2, ["stop"]),
        ("unknown option", good, ["--tempreature", "1"], 2, ["tempreature"]),
        ("raw and chat", good, ["--raw", "--chat"], 2, ["--raw"]),
        ("variables that are no object", good, ["--template-variables", "[1]"], 2, ["--template-variables"]),
    ]


def check_refusals(model, folder):
    cases = refusals(model, folder)
    for name, content, options, code, words in cases:
        work = folder / name.replace(" ", "-")
        work.mkdir()
        prompts = work / "prompts.jsonl"
        if content is not None:
            prompts.write_text(content)
        process = spd("generate", model, "--prompts", prompts, "--out", work / "out.jsonl", *options)
        expect(process.returncode == code, f"{name}: exit {process.returncode}, not {code}: {process.stderr}")
        expect(process.stderr.count("\n") == 1, f"{name}: not one line: {process.stderr}")
        for word in words:
            expect(word in process.stderr, f"{name}: '{word}' is not in: {process.stderr}")
        left = sorted(path.name for path in work.iterdir())
        expect(left == ([] if content is None else ["prompts.jsonl"]), f"{name}: left behind {left}")
    return len(cases)


def check_output_rules(model, folder):
    prompts = folder / "prompts.jsonl"
    rows = [{"id": "a", "prompt": "one"}, {"id": 5, "prompt": "two"}, {"prompt": "three"}]
    write_lines(prompts, rows)
    out = folder / "rules.jsonl"
    records = generate(model, prompts, out, "--max-new-tokens", "4", "--seed", "1")
    expect([record["id"] for record in records] == ["a", 5, 2], "ids did not come back as they were")
    expect(list(records[0]) == ["id", "prompt", "completion", "completion_ids", "finish_reason", "prompt_tokens",
                                "completion_tokens"], f"fields: {list(records[0])}")
    before = out.stat().st_mtime_ns
    generate(model, prompts, out, "--max-new-tokens", "4", "--seed", "1")
    expect(out.stat().st_mtime_ns == before, "the same command wrote a finished file again")
    other = spd("generate", model, "--prompts", prompts, "--out", out, "--max-new-tokens", "4", "--seed", "2")
    expect(other.returncode == 2 and "seed" in other.stderr and other.stderr.count("\n") == 1, other.stderr)
    expect(read_lines(out) == records, "a refused command changed the output")
    same = spd("generate", model, "--prompts", prompts, "--out", prompts, "--overwrite")
    expect(same.returncode == 2 and "--out" in same.stderr and read_lines(prompts) == rows, same.stderr)
    generate(model, prompts, out, "--max-new-tokens", "4", "--seed", "2", "--overwrite")
    expect(sorted(p.name for p in folder.glob("rules*")) == ["rules.jsonl", "rules.meta.json"], "files left behind")


def check_stop(model, folder, signal_number, code):
    prompts = folder / "many.jsonl"
    write_lines(prompts, [{"prompt": f"number {i}"} for i in range(3000)])
    out = folder / f"stopped{signal_number}.jsonl"
    process = subprocess.Popen([SPD, "generate", model, "--prompts", prompts, "--out", out, "--max-new-tokens", "200"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    partial = out.with_name(out.stem + ".partial.jsonl")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (partial.exists() and partial.stat().st_size > 0):
        time.sleep(0.05)
    start = time.monotonic()
    process.send_signal(signal_number)
    process.wait(timeout=30)
    seconds = time.monotonic() - start
    expect(process.returncode == code, f"signal {signal_number}: exit {process.returncode}, not {code}")
    expect(seconds < 2, f"signal {signal_number}: took {seconds:.1f} s")
    kept = [json.loads(line) for line in partial.read_text().splitlines()]
    expect(len(kept) > 0 and not out.exists(), "nothing was kept")
    return seconds


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = make_tiny_checkpoints(folder / "tiny")[0]
        (model / "tokenizer_config.json").unlink()  # so it has no chat template
        count = check_refusals(model, folder)
        check_output_rules(model, folder)
        slowest = max(check_stop(model, folder, signal.SIGINT, 130), check_stop(model, folder, signal.SIGTERM, 143))
        print(f"measured: {count} refusals of generate, one line each; slowest stop {slowest:.2f} s")


if __name__ == "__main__":
    main()
