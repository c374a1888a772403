"""`spd generate` against `transformers.generate`: greedy completions token for token on GSM8K prompts, float32.

A difference counts as a tie only where the reference's two best logits lie within 1e-3; each tie is printed and ends the
comparison of that completion (what follows is another text).
"""
import sys
import tempfile
from pathlib import Path

import torch

from support import GSM8K_TEST, generate, read_lines, reference_model, sample_model, sample_tokenizer, write_lines

PROMPTS = 32
NEW_TOKENS = 128
TIE = 1e-3


def reference_completions(model, prompts, pad_id):
    """Greedy completions of transformers, eight left-padded prompts at a time."""
    completions = []
    for start in range(0, len(prompts), 8):
        batch = prompts[start:start + 8]
        width = max(map(len, batch))
        ids = torch.tensor([[pad_id] * (width - len(p)) + p for p in batch])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in batch])
        out = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=NEW_TOKENS, do_sample=False,
                             repetition_penalty=1.0, pad_token_id=pad_id)
        completions += [row[width:].tolist() for row in out]
    return completions


def cut_at_eos(ids, eos_ids):
    for i, token in enumerate(ids):
        if token in eos_ids:
            return ids[:i + 1]
    return ids


def top_two_gap(model, ids):
    with torch.no_grad():
        best = model(torch.tensor([ids])).logits[0, -1].topk(2).values
    return float(best[0] - best[1])


def compare(model, prompts, ours, theirs, batch):
    equal = ties = 0
    for number, (prompt, a, b) in enumerate(zip(prompts, ours, theirs)):
        first = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), None)
        if first is None:
            if len(a) != len(b):
                sys.exit(f"prompt {number}, batch {batch}: {len(a)} tokens, the reference has {len(b)}")
            equal += 1
            continue
        gap = top_two_gap(model, prompt + b[:first])
        if gap > TIE:
            sys.exit(f"prompt {number}, batch {batch}: token {first} is {a[first]}, the reference says {b[first]} "
                     f"(its two best logits are {gap:.3g} apart)")
        print(f"tie: prompt {number}, batch {batch}, token {first}: the reference's two best logits are {gap:.3g} apart")
        ties += 1
    return equal, ties


def main():
    folder = sample_model()
    rows = read_lines(GSM8K_TEST)[:PROMPTS]
    texts = [f"Question: {row['question']}\nAnswer:" for row in rows]
    tokenizer = sample_tokenizer(folder)
    prompts = [tokenizer.encode(text).ids for text in texts]
    model = reference_model(folder, torch.float32)
    eos = model.generation_config.eos_token_id
    eos_ids = set(eos if isinstance(eos, list) else [eos])
    theirs = [cut_at_eos(ids, eos_ids) for ids in reference_completions(model, prompts, pad_id=min(eos_ids))]
    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "prompts.jsonl"
        write_lines(source, [{"id": i, "prompt": text} for i, text in enumerate(texts)])
        for batch in (1, 3, 8):
            records = generate(folder, source, Path(temporary) / f"out{batch}.jsonl", "--greedy", "--dtype", "float32",
                               "--max-new-tokens", str(NEW_TOKENS), "--batch", str(batch))
            for record, text, prompt in zip(records, texts, prompts):
                assert record["prompt"] == text and record["prompt_tokens"] == len(prompt), record["id"]
            equal, ties = compare(model, prompts, [r["completion_ids"] for r in records], theirs, batch)
            print(f"measured: greedy completions equal to transformers.generate, batch {batch}: {equal} of {PROMPTS}, "
                  f"ties {ties}")


if __name__ == "__main__":
    main()
