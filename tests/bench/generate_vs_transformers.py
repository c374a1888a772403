#!/usr/bin/env python3
"""`spd generate` and `transformers.generate` in turn on the same weights, prompts and number of new tokens.

    SPD_BIN=build/release/bin python generate_vs_transformers.py MODEL [--dtype bfloat16] [--batch 1 8] [--pairs 5]

Each pair is ours, then theirs; printed are both medians in new tokens per second and the median of the pair ratios. Both
times leave out opening the model. Both decode greedily and stop for nothing, so every completion has the same length.
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

PROMPT = "Question: A train leaves at noon and drives 60 miles an hour for {} hours. How far does it get?\nAnswer:"


def without_eos(model, folder):
    """The checkpoint under another config: no id ends a completion. The weights are the same file."""
    folder.mkdir()
    for path in Path(model).iterdir():
        if path.name != "generation_config.json" and path.is_file():
            os.link(path.resolve(), folder / path.name) if path.name != "config.json" else None
    config = json.loads((Path(model) / "config.json").read_text())
    config["eos_token_id"] = config["vocab_size"] - 1
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def ours(folder, prompts, out, arguments, batch):
    command = [Path(os.environ["SPD_BIN"]) / "spd", "generate", folder, "--prompts", prompts, "--out", out, "--greedy", "--json",
               "--overwrite", "--dtype", arguments.dtype, "--batch", batch, "--max-new-tokens", arguments.new_tokens]
    process = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    result = json.loads(process.stdout)
    assert result["completion_tokens"] == batch * arguments.new_tokens, result
    return result["completion_tokens"] / result["generate_seconds"]


def theirs(model, ids, arguments, batch):
    inputs = torch.tensor([ids] * batch)
    start = time.perf_counter()
    out = model.generate(input_ids=inputs, attention_mask=torch.ones_like(inputs), max_new_tokens=arguments.new_tokens,
                         min_new_tokens=arguments.new_tokens, do_sample=False, repetition_penalty=1.0, pad_token_id=0)
    seconds = time.perf_counter() - start
    assert out.shape[1] == len(ids) + arguments.new_tokens
    return batch * arguments.new_tokens / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--dtype", default="bfloat16", choices=("float32", "bfloat16"))
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--new-tokens", type=int, default=64)
    arguments = parser.parse_args()
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=getattr(torch, arguments.dtype)).eval()
    text = PROMPT.format(3)
    ids = Tokenizer.from_file(str(arguments.model / "tokenizer.json")).encode(text).ids
    with tempfile.TemporaryDirectory(dir=arguments.model.resolve().parent) as temporary:
        folder = without_eos(arguments.model, Path(temporary) / "model")
        for batch in arguments.batch:
            prompts = Path(temporary) / f"prompts{batch}.jsonl"
            prompts.write_text("".join(json.dumps({"prompt": text}) + "\n" for _ in range(batch)))
            pairs = []
            for _ in range(arguments.pairs):
                pairs.append((ours(folder, prompts, Path(temporary) / "out.jsonl", arguments, batch),
                              theirs(model, ids, arguments, batch)))
            ratio = statistics.median(a / b for a, b in pairs)
            print(f"measured: {arguments.model.name}, {arguments.dtype}, batch {batch}, {arguments.pairs} pairs: "
                  f"ours {statistics.median(a for a, _ in pairs):.1f} tok/s, "
                  f"transformers {statistics.median(b for _, b in pairs):.1f} tok/s, ratio {ratio:.2f}", flush=True)


if __name__ == "__main__":
    main()
