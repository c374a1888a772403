"""`spd generate --method`: a preset is what its options spell out, options that are given win, psr and ssd project nothing and
spd does; the statistics in the record are those of the records, computed here."""
import json
import statistics
import sys
import tempfile
from pathlib import Path

from make_tiny_checkpoints import make_tiny_checkpoints
from support import generate, spd, write_lines

SAMPLING = ("greedy", "temperature", "top_k", "top_p", "min_p", "repetition_penalty")


def expect(condition, text):
    if not condition:
        sys.exit(text)


def meta_of(out):
    return json.loads(out.with_name(out.name.replace(".jsonl", ".meta.json")).read_text())


def check_presets(model, prompts, folder):
    tokens = ("--max-new-tokens", "24", "--seed", "3")
    plain = generate(model, prompts, folder / "plain.jsonl", *tokens)
    psr = generate(model, prompts, folder / "psr.jsonl", *tokens, "--method", "psr")
    expect(psr == plain and meta_of(folder / "psr.jsonl")["method"] == "psr", "psr is not the model's own sampling")
    expect("method" not in meta_of(folder / "plain.jsonl"), "a method where none was asked for")
    spelled = generate(model, prompts, folder / "spelled.jsonl", *tokens, "--temperature", "1.6", "--top-k", "20", "--top-p", "0.8")
    ssd = generate(model, prompts, folder / "ssd.jsonl", *tokens, "--method", "ssd")
    expect(ssd == spelled and ssd != plain, "ssd is not what its options spell out")
    expect([meta_of(folder / "ssd.jsonl")[key] for key in SAMPLING] == [False, 1.6, 20, 0.8, 0, 1], "ssd's record")
    generate(model, prompts, folder / "own.jsonl", *tokens, "--method", "ssd", "--top-k", "0", "--temperature", "1.5")
    expect([meta_of(folder / "own.jsonl")[key] for key in SAMPLING] == [False, 1.5, 0, 0.8, 0, 1], "a given option did not win")
    generate(model, prompts, folder / "greedy.jsonl", *tokens, "--method", "ssd", "--greedy")
    expect(meta_of(folder / "greedy.jsonl")["greedy"] is True, "a given --greedy did not win")
    print(f"measured: presets psr and ssd equal their options over {len(plain)} completions")


def check_refusals(model, prompts, folder):
    out = folder / "refused.jsonl"
    subspace = ("--subspace", folder)
    cases = [(("--method", "psr", *subspace), "--subspace"), (("--method", "ssd", *subspace), "--subspace"),
             (("--method", "spd"), "--subspace"), (("--method", "base"), "--method"),
             (("--method", "psr", "--sampling", "model"), "--sampling")]
    for options, words in cases:
        process = spd("generate", model, "--prompts", prompts, "--out", out, *options)
        expect(process.returncode == 2 and words in process.stderr and process.stderr.count("\n") == 1,
               f"{options}: exit {process.returncode}: {process.stderr}")
        expect(not list(folder.glob("refused*")), f"{options}: left something")
    return len(cases)


def ends_in_loop(ids):
    return any(len(ids) >= max(32, 4 * block) and ids[-max(32, 4 * block):-block] == ids[-max(32, 4 * block) + block:]
               for block in range(1, 129))


def check_statistics(records, got):
    def lengths(values):
        return {"min": min(values), "median": statistics.median(values), "mean": statistics.fmean(values), "max": max(values),
                "total": sum(values)}
    texts = [record["completion"] for record in records]
    filled = [text for text in texts if text.strip()]
    wanted = {"completions": len(records),
              "completion_tokens": lengths([len(record["completion_ids"]) for record in records]),
              "prompt_tokens": lengths([record["prompt_tokens"] for record in records]),
              "finish_reasons": {reason: sum(record["finish_reason"] == reason for record in records)
                                 for reason in ("stop", "length")},
              "empty": len(texts) - len(filled),
              "single_line": sum(not set("\r\n") & set(text.strip()) for text in filled),
              "repetition_loops": sum(ends_in_loop(record["completion_ids"][:-1] if record["finish_reason"] == "stop"
                                                   else record["completion_ids"]) for record in records),
              "duplicates": len(filled) - len(set(filled))}
    expect(got == wanted, f"statistics {got}, computed here {wanted}")
    return wanted


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = make_tiny_checkpoints(folder / "models")[0]
        prompts = folder / "prompts.jsonl"
        write_lines(prompts, [{"id": f"p{i}", "prompt": "two plus two " * (1 + i % 5)} for i in range(24)])
        check_presets(model, prompts, folder)
        refused = check_refusals(model, prompts, folder)
        out = folder / "loops.jsonl"
        records = generate(model, prompts, out, "--greedy", "--max-new-tokens", "200", "--json")
        found = check_statistics(records, meta_of(out)["statistics"])
        again = json.loads(spd("generate", model, "--prompts", prompts, "--out", out, "--greedy", "--max-new-tokens", "200",
                               "--json").stdout)
        expect(again["statistics"] == found and again["resumed"] == len(records), f"{again}")
        meta = json.loads(out.with_name("loops.meta.json").read_text())
        del meta["statistics"]  # as after a kill between the corpus and its statistics
        out.with_name("loops.meta.json").write_text(json.dumps(meta, indent=2) + "\n")
        generate(model, prompts, out, "--greedy", "--max-new-tokens", "200")
        expect(meta_of(out)["statistics"] == found, "statistics are not made good")
        print(f"measured: statistics of {len(records)} completions as computed here: {found['repetition_loops']} loops, "
              f"{found['duplicates']} duplicates; {refused} refusals of --method, one line each")


main()
