"""`spd generate` with projections and adapters against `transformers.generate` with hooks, greedy, token for token, float32:
tiny checkpoints with every kind of option at batch 1, 3 and 8, and the sample model on GSM8K prompts.

A difference counts as a tie only where the reference's two best logits lie within 1e-3; ties are printed.
"""
import sys
import tempfile
from pathlib import Path

import torch
from transformers.utils import logging

from adapters import make_adapter
from make_tiny_checkpoints import make_tiny_checkpoints
from projections import Subspace, hooked_logits, last_mid, projected
from support import GSM8K_TEST, generate, read_lines, sample_model, write_lines
from test_generate import cut_at_eos
from tokenizers import Tokenizer

TIE = 1e-3
BATCHES = (1, 3, 8)
WORDS = "the cat sat on a mat while 17 small birds sang of rain, snow and the long way home again".split()
# name: checkpoint, subspace, options, what the reference's maps are given, when, with an adapter
CASES = {
    "folded": ("qwen2-tied", {}, [], {}, "all", False),
    "activation with an adapter": ("llama-biases", {}, ["--apply", "activation", "--strength", "0.7"], {"strength": 0.7}, "all", True),
    "post_norm, per head": ("qwen3-wide-heads", {"site": "post_norm", "per_head": True}, [], {}, "all", False),
    "post_rope with an adapter": ("llama-llama3-5", {"site": "post_rope"}, ["--rank", "9"], {"rank": 9}, "all", True),
    "decode_only with an adapter": ("qwen3-wide-heads", {}, ["--when", "decode_only"], {}, "decode_only", True),
    "prefill_only": ("llama-plain", {}, ["--when", "prefill_only", "--control", "complement"], {"complement": True}, "prefill_only",
                     False),
}


def acts(when):
    """Of a call by its number of tokens: a prompt has several, a new token comes alone."""
    return {"all": lambda tokens: True, "decode_only": lambda tokens: tokens == 1, "prefill_only": lambda tokens: tokens > 1}[when]


@torch.no_grad()
def reference_completions(model, prompts, new_tokens, eos_ids, pad_id, without_token):
    """Eight left-padded prompts at a time; rows of the embedding without a token are never drawn, as spd does it."""
    completions = []
    for start in range(0, len(prompts), 8):
        batch = prompts[start:start + 8]
        width = max(map(len, batch))
        ids = torch.tensor([[pad_id] * (width - len(p)) + p for p in batch])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in batch])
        out = model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=new_tokens, do_sample=False,
                             repetition_penalty=1.0, pad_token_id=pad_id, suppress_tokens=without_token or None)
        completions += [cut_at_eos(row[width:].tolist(), eos_ids) for row in out]
    return completions


def compare(name, ours, theirs, gap_at):
    """Number of equal completions; every other one must part at a tie."""
    equal = 0
    for number, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        first = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), None)
        if first is None:
            if len(a) != len(b):
                sys.exit(f"{name}, prompt {number}: {len(a)} tokens, the reference has {len(b)}")
            equal += 1
        elif (gap := gap_at(number, b[:first])) > TIE:
            sys.exit(f"{name}, prompt {number}: token {first} is {a[first]}, the reference says {b[first]} (its two best logits "
                     f"are {gap:.3g} apart)")
        else:
            print(f"tie: {name}, prompt {number}, token {first}: {gap:.3g} apart")
    return equal


def check(name, folder, texts, new_tokens, temporary, subspace_settings, options, given, when, with_adapter):
    """Equal completions of all batches, and completions in all."""
    adapter = temporary / f"{name} adapter"
    model = make_adapter(folder, adapter, 5)
    config = model.config
    subspace = Subspace(config, last_mid(config), **subspace_settings)
    select = ["--subspace", subspace.write(temporary / f"{name} subspace", folder), *options]
    select += ["--adapter", adapter] if with_adapter else []
    maps = subspace.maps(**given)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    prompts = [tokenizer.encode(text).ids for text in texts]
    eos = model.generation_config.eos_token_id
    eos_ids = set(eos if isinstance(eos, list) else [eos])
    model = model if with_adapter else model.unload()  # without the LoRA layers
    without_token = list(range(tokenizer.get_vocab_size(), config.vocab_size))
    arguments = (new_tokens, eos_ids, min(eos_ids), without_token)
    plain = reference_completions(model, prompts[:3], *arguments)
    with projected(model, maps, subspace.site, acts(when)):
        theirs = reference_completions(model, prompts, *arguments)
    assert sum(a != b for a, b in zip(plain, theirs)) >= 2, f"{name} changes nothing and proves nothing"

    def gap_at(number, done):
        ids = prompts[number] + done
        logits = hooked_logits(model, ids, maps, subspace.site, when, len(prompts[number]))[-1]
        best = logits[:tokenizer.get_vocab_size()].topk(2).values
        return float(best[0] - best[1])
    write_lines(temporary / "prompts.jsonl", [{"id": i, "prompt": text} for i, text in enumerate(texts)])
    equal = 0
    for batch in BATCHES:
        records = generate(folder, temporary / "prompts.jsonl", temporary / f"{name} {batch}.jsonl", "--greedy", "--dtype",
                           "float32", "--max-new-tokens", new_tokens, "--batch", batch, *select)
        assert [r["prompt_tokens"] for r in records] == list(map(len, prompts))
        equal += compare(f"{name}, batch {batch}", [r["completion_ids"] for r in records], theirs, gap_at)
    return equal, len(texts) * len(BATCHES)


def main():
    logging.disable_progress_bar()
    texts = [" ".join(WORDS[i % 7:i % 7 + 2 + i % 5]) for i in range(11)]
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # tiny models
        made = {folder.name: folder for folder in make_tiny_checkpoints(temporary / "tiny", {case[0] for case in CASES.values()})}
        totals = [check(name, made[variant], texts, 24, temporary, *case) for name, (variant, *case) in CASES.items()]
        print(f"measured: greedy hooked completions of tiny models equal to transformers.generate with hooks, {len(CASES)} "
              f"interventions, batch 1, 3 and 8: {sum(t[0] for t in totals)} of {sum(t[1] for t in totals)}", flush=True)
        torch.set_num_threads(threads)
        questions = [f"Question: {row['question']}\nAnswer:" for row in read_lines(GSM8K_TEST)[:8]]
        equal, count = check("sample model", sample_model(), questions, 16, temporary, {}, [], {}, "all", True)
        print(f"measured: the same of the sample model with a projection and an adapter, float32: {equal} of {count}")


if __name__ == "__main__":
    main()
