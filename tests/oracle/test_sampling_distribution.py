"""20,000 samples of `spd generate` on a tiny model against the exact truncated distribution that transformers' own
warpers give, chi-square, for each warper and their combination.
"""
import os
import sys
import tempfile
from pathlib import Path

import torch
from transformers import (LogitsProcessorList, MinPLogitsWarper, RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper,
                          TopKLogitsWarper, TopPLogitsWarper)

from make_tiny_checkpoints import make_tiny_checkpoints
from support import generate, reference_model, sample_tokenizer, write_lines

SAMPLES = 20_000
PROMPT = "Janet has 3 apples and 4 pears. How many"
CASES = {
    "plain": (),
    "temperature": (("--temperature", 0.6),),
    "top-k": (("--top-k", 20),),
    "top-p": (("--top-p", 0.7),),
    "min-p": (("--min-p", 0.05),),
    "repetition penalty": (("--repetition-penalty", 1.5),),
    "all": (("--repetition-penalty", 1.3), ("--temperature", 1.4), ("--top-k", 40), ("--top-p", 0.9), ("--min-p", 0.02)),
}
WARPERS = {
    "--repetition-penalty": RepetitionPenaltyLogitsProcessor,
    "--temperature": TemperatureLogitsWarper,
    "--top-k": TopKLogitsWarper,
    "--top-p": TopPLogitsWarper,
    "--min-p": MinPLogitsWarper,
}


def exact_distribution(logits, ids, options, tokens):
    scores = logits.clone()
    scores[:, tokens:] = float("-inf")  # rows of the embedding that have no token
    processors = LogitsProcessorList([WARPERS[name](value) for name, value in options])
    return torch.softmax(processors(torch.tensor([ids]), scores).double(), -1)[0]


def chi_square(counts, probabilities):
    """p-value; cells that expect fewer than 5 are joined into one."""
    expected = probabilities * SAMPLES
    if float(counts[probabilities == 0].sum()) > 0:
        return 0.0, 0
    large = expected >= 5
    observed = counts[large].tolist()
    wanted = expected[large].tolist()
    rest = float(expected[~large].sum())
    if rest > 0:
        observed.append(float(counts[~large].sum()))
        wanted.append(rest)
    statistic = sum((o - w) ** 2 / w for o, w in zip(observed, wanted))
    freedom = torch.tensor((len(wanted) - 1) / 2, dtype=torch.float64)
    p = torch.special.gammaincc(freedom, torch.tensor(statistic / 2, dtype=torch.float64))
    return float(p) if len(wanted) > 1 else 1.0, len(wanted)


def main():
    # Each of the 20,000 records is synced: in memory that costs nothing.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as temporary:
        temporary = Path(temporary)
        folder = make_tiny_checkpoints(temporary / "tiny")[0]
        tokenizer = sample_tokenizer(folder)
        ids = tokenizer.encode(PROMPT).ids
        model = reference_model(folder, torch.float32)
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[:, -1]
        source = temporary / "prompts.jsonl"
        write_lines(source, [{"id": i, "prompt": PROMPT} for i in range(SAMPLES)])
        failed = False
        for number, (name, options) in enumerate(CASES.items()):
            arguments = [str(part) for option in options for part in option]
            records = generate(folder, source, temporary / f"{number}.jsonl", "--dtype", "float32", "--batch", "64",
                               "--max-new-tokens", "1", *arguments)
            drawn = torch.tensor([record["completion_ids"][0] for record in records])
            counts = torch.bincount(drawn, minlength=logits.shape[1]).double()
            p, cells = chi_square(counts, exact_distribution(logits, ids, options, tokenizer.get_vocab_size()))
            print(f"measured: {SAMPLES} samples, {name}: chi-square over {cells} cells, p = {p:.3g}")
            failed |= p <= 1e-3
        if failed:
            sys.exit("a distribution differs")


if __name__ == "__main__":
    main()
