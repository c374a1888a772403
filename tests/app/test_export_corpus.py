"""`spd export corpus SPD`: every line parses and has exactly the fields of its format (TRL's dataset formats, LLaMA-Factory's
alpaca and sharegpt), texts come back byte for byte, the sidecar belongs to the lines, refusals leave nothing."""
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

SPD = sys.argv[1]
TEXTS = ["plain", " a leading blank\nand a second line", "\u2028\u2029\u0085 line ends that are none", "tab\t\"quote\" \\ \x00\x1f\x7f",
         "\u00e9e\u0301 \U0001f600 \u202e right to left", "\r\n", "", "{braces} <|im_end|>", "one line", "x\n" * 50]


def expect(condition, text):
    if not condition:
        sys.exit(text)


def spd_export(*arguments):
    return subprocess.run([SPD, "export", "corpus", *map(str, arguments)], capture_output=True, text=True)


def write_lines(path, rows):
    path.write_bytes(b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows))


def read_lines(path):
    content = path.read_bytes()
    expect(not content.startswith(b"\xef\xbb\xbf") and content.endswith(b"\n") and b"\r" not in content, f"{path}: no LF lines")
    return [json.loads(line) for line in content.split(b"\n")[:-1]]


def corpus(folder, name, **meta):
    """A corpus as `spd generate` writes it; its records."""
    records = [{"id": i if i % 2 else f"set/{i}", "prompt": f"Question: {text}\nAnswer:", "completion": text,
                "completion_ids": [1, 2, i], "finish_reason": "stop" if i % 3 else "length", "prompt_tokens": 7,
                "completion_tokens": 3} for i, text in enumerate(TEXTS)]
    write_lines(folder / f"{name}.jsonl", records)
    (folder / f"{name}.meta.json").write_text(json.dumps({"seed": 42, "format": "raw", "intervention": {"rank": 3}, **meta}))
    return records


def fields(record, name, prompt=None, system=None):
    """The line that the format's documentation asks for."""
    prompt, completion = record["prompt"] if prompt is None else prompt, record["completion"]
    if name == "prompt-completion":
        return {"prompt": record["prompt"], "completion": completion}
    if name == "alpaca":
        return {"instruction": prompt, "input": "", "output": completion} | ({"system": system} if system else {})
    turns = ([("system", system)] if system else []) + [("user", prompt), ("assistant", completion)]
    if name == "messages":
        return {"messages": [{"role": role, "content": text} for role, text in turns]}
    tags = {"system": "system", "user": "human", "assistant": "gpt"}
    return {"conversations": [{"from": tags[role], "value": text} for role, text in turns]}


def check_formats(folder):
    records = corpus(folder, "c")
    intervention = hashlib.sha256(b'{"rank":3}').hexdigest()
    for name in ("prompt-completion", "messages", "alpaca", "sharegpt"):
        out = folder / f"{name}.jsonl"
        process = spd_export(folder / "c.jsonl", "--format", name, "--out", out, "--json")
        expect(process.returncode == 0, f"{name}: {process.stderr}")
        summary = json.loads(process.stdout)
        expect(summary["records"] == summary["kept"] == len(records), f"{name}: {summary}")
        expect(read_lines(out) == [fields(record, name) for record in records], f"{name}: other lines")
        extras = read_lines(Path(summary["extras"]))
        expect(extras == [{key: record[key] for key in ("id", "finish_reason", "prompt_tokens", "completion_tokens",
                                                        "completion_ids")} | {"seed": 42, "intervention_sha256": intervention}
                          for record in records], f"{name}: other extras")
    print(f"measured: 4 formats of {len(records)} completions: every line and its extras as documented")


def check_conversations(folder):
    records = corpus(folder, "chat", format="chat", intervention={})
    prompts = folder / "prompts.jsonl"
    write_lines(prompts, [{"id": record["id"], "messages": [{"role": "system", "content": "be brief"},
                                                            {"role": "user", "content": f"asked {i}"}]}
                          for i, record in enumerate(records)])
    for name in ("messages", "alpaca", "sharegpt"):
        refused = spd_export(folder / "chat.jsonl", "--format", name, "--out", folder / "no.jsonl")
        expect(refused.returncode == 2 and "--prompts" in refused.stderr, f"{name}: {refused.stderr}")
        out = folder / f"chat-{name}.jsonl"
        process = spd_export(folder / "chat.jsonl", "--format", name, "--out", out, "--prompts", prompts)
        expect(process.returncode == 0, f"{name}: {process.stderr}")
        expect(read_lines(out) == [fields(record, name, f"asked {i}", "be brief") for i, record in enumerate(records)],
               f"{name}: other conversations")
        expect("intervention_sha256" not in read_lines(folder / f"chat-{name}.extras.jsonl")[0], "an intervention of none")
    write_lines(prompts, [{"id": "another", "prompt": "x"}])
    refused = spd_export(folder / "chat.jsonl", "--format", "messages", "--out", folder / "no.jsonl", "--prompts", prompts)
    expect(refused.returncode == 3 and "line 1" in refused.stderr and "set/0" in refused.stderr, refused.stderr)


def check_filters(folder):
    records = corpus(folder, "f")
    kept = [record for record in records if record["completion"].strip() and "\n" in record["completion"].strip()]
    out = folder / "kept.jsonl"
    process = spd_export(folder / "f.jsonl", "--format", "corpus", "--filter", "ssd", "--out", out, "--json")
    expect(process.returncode == 0, process.stderr)
    expect(read_lines(out) == kept, "other records are kept")
    meta = json.loads((folder / "kept.meta.json").read_text())
    source = hashlib.sha256((folder / "f.jsonl").read_bytes()).hexdigest()
    expect(meta["filter"] == {"name": "ssd", "dropped": len(records) - len(kept), "corpus_sha256": source}, f"{meta}")
    expect(meta["seed"] == 42 and meta["statistics"]["completions"] == len(kept), f"{meta}")
    expect(not (folder / "kept.extras.jsonl").exists(), "a corpus needs no sidecar")
    print(f"measured: filter ssd keeps {len(kept)} of {len(records)} completions, as computed here")


def check_refusals(folder):
    corpus(folder, "r")
    source = folder / "r.jsonl"
    broken = folder / "broken.jsonl"
    broken.write_text('{"id": 1}\n')
    stubs = folder / "stubs.jsonl"
    write_lines(stubs, [{"id": 1, "prompt": "p", "completion": "x", "completion_ids": [1], "finish_reason": "stop",
                         "prompt_tokens": 1, "completion_tokens": 1}])
    out = folder / "refused.jsonl"
    cases = [("no such file", [folder / "none.jsonl", "--format", "alpaca", "--out", out], 2, "none.jsonl"),
             ("a broken corpus", [broken, "--format", "alpaca", "--out", out], 3, "line 1"),
             ("unknown format", [source, "--format", "parquet", "--out", out], 2, "parquet"),
             ("unknown filter", [source, "--format", "alpaca", "--filter", "best", "--out", out], 2, "best"),
             ("nothing left", [stubs, "--format", "alpaca", "--filter", "ssd", "--out", out], 2, "nothing"),
             ("its own input", [source, "--format", "alpaca", "--out", source, "--overwrite"], 2, "input"),
             ("its own meta file", [source, "--format", "corpus", "--out", folder / "r.meta.json", "--overwrite"], 2, "input"),
             ("no folder", [source, "--format", "alpaca", "--out", folder / "a" / "b.jsonl"], 2, "a")]
    before = source.read_bytes()
    for name, arguments, code, words in cases:
        process = spd_export(*arguments)
        expect(process.returncode == code and words in process.stderr and process.stderr.count("\n") == 1,
               f"{name}: exit {process.returncode}, {process.stderr}")
        expect(not out.exists() and not (folder / "refused.extras.jsonl").exists(), f"{name}: left something")
    expect(source.read_bytes() == before, "the input was changed")
    expect(spd_export(source, "--format", "alpaca", "--out", out).returncode == 0, "a good export")
    again = spd_export(source, "--format", "messages", "--out", out)
    expect(again.returncode == 2 and "--overwrite" in again.stderr, again.stderr)
    expect(spd_export(source, "--format", "messages", "--out", out, "--overwrite").returncode == 0, "--overwrite")
    expect("messages" in read_lines(out)[0], "not overwritten")
    print(f"measured: {len(cases) + 1} refusals of export corpus, one line each")


with tempfile.TemporaryDirectory() as name:
    check_formats(Path(name))
    check_conversations(Path(name))
    check_filters(Path(name))
    check_refusals(Path(name))
