"""`spd forward` against transformers: tiny checkpoints of every family variant and the sample model in float32, the sample
model in bfloat16.
"""
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from make_tiny_checkpoints import make_tiny_checkpoints
from support import GSM8K_TEST, read_lines, sample_model, sample_tokenizer, spd, write_lines

LENGTHS = (1, 7, 64, 300)  # 64 and 300 lie beyond original_max_position_embeddings of the llama3 variants
TOLERANCE = 2e-4  # times the largest logit, where that is above 1
GAP = 0.5  # of the reference's two best logits, above which bfloat16 must agree on the best


def random_ids(vocabulary, lengths, seed):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(vocabulary, (length,), generator=generator).tolist() for length in lengths]


def ours(folder, sequences, temporary, *options):
    write_lines(temporary / "ids.jsonl", [{"ids": ids} for ids in sequences])
    out = temporary / "out.safetensors"
    process = spd("forward", folder, "--ids", temporary / "ids.jsonl", "--out", out, "--overwrite", *options)
    if process.returncode != 0:
        sys.exit(f"spd forward {folder} failed with {process.returncode}: {process.stderr}")
    logits = load_file(out)
    assert sorted(logits) == sorted(f"logits.{n}" for n in range(len(sequences))), sorted(logits)
    for n, ids in enumerate(sequences):
        assert logits[f"logits.{n}"].dtype == torch.float32 and logits[f"logits.{n}"].shape[0] == len(ids)
    return [logits[f"logits.{n}"] for n in range(len(sequences))]


@torch.no_grad()
def theirs(folder, sequences, dtype, attention="sdpa"):
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation=attention).eval()
    return [model(torch.tensor([ids])).logits[0].float() for ids in sequences]


def relative_difference(left, right):
    assert left.shape == right.shape, (left.shape, right.shape)
    return ((left - right).abs().max() / max(1.0, right.abs().max().item())).item()


def check_float32(name, folder, sequences, temporary, attentions=("eager", "sdpa")):
    logits = ours(folder, sequences, temporary)
    worst = 0.0
    for attention in attentions:
        reference = theirs(folder, sequences, torch.float32, attention)
        worst = max([worst, *map(relative_difference, logits, reference)])
    largest = max(r.abs().max().item() for r in reference)
    print(f"measured: forward in float32, {name}, lengths {', '.join(str(len(ids)) for ids in sequences)}: largest difference "
          f"{worst:.2g} of the largest logit ({largest:.1f})", flush=True)
    assert largest > 3, "flat logits would prove nothing"
    return worst <= TOLERANCE


def check_bfloat16(folder, sequences, temporary):
    positions = clear = equal = 0
    for mine, reference in zip(ours(folder, sequences, temporary, "--dtype", "bfloat16"),
                               theirs(folder, sequences, torch.bfloat16)):
        best = reference.topk(2, -1).values
        is_clear = best[:, 0] - best[:, 1] > GAP
        positions += len(is_clear)
        clear += int(is_clear.sum())
        equal += int((mine.argmax(-1) == reference.argmax(-1))[is_clear].sum())
    print(f"measured: forward in bfloat16, sample model: same argmax at {equal} of {clear} positions whose top-2 gap is over "
          f"{GAP} ({positions} positions in all)")
    return clear > 0 and equal == clear


def main():
    logging.disable_progress_bar()
    sample = sample_model()
    tokenizer = sample_tokenizer(sample)
    questions = [tokenizer.encode(row["question"]).ids for row in read_lines(GSM8K_TEST)[:12]]
    long_text = [token for ids in questions for token in ids][:300]
    sequences = [long_text[:length] for length in LENGTHS]
    passed = True
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        for seed, folder in enumerate(make_tiny_checkpoints(temporary / "tiny")):
            tiny = random_ids(600, LENGTHS, seed)
            passed &= check_float32(folder.name, folder, tiny, temporary)
        passed &= check_float32("sample model", sample, sequences, temporary, ("sdpa",))
        passed &= check_bfloat16(sample, sequences + questions, temporary)
    if not passed:
        sys.exit("spd forward and transformers differ")


if __name__ == "__main__":
    main()
