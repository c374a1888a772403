"""The recipe of `spd train` in peft, transformers and torch.optim, written down independently: what the tests of training compare
with.
"""
import math

import torch
import torch.nn.functional as F
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, get_cosine_schedule_with_warmup

TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj"]


def base_model(folder, dtype):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="eager")


def random_adapter(folder, out, seed, r=8, alpha=16, scale_b=0.02):
    """An adapter that peft makes and saves; with `scale_b` 0 it is as peft starts it."""
    torch.manual_seed(seed)
    model = get_peft_model(base_model(folder, torch.float32), LoraConfig(r=r, lora_alpha=alpha, lora_dropout=0.0,
                                                                        target_modules=TARGETS, task_type="CAUSAL_LM"))
    for name, parameter in model.named_parameters():
        if "lora_B" in name and scale_b:
            parameter.data.normal_(std=scale_b)
    model.save_pretrained(out)


def sequences(folder, rows, eos):
    """(ids, number of prompt tokens) of each row: prompt with, completion without special tokens, then EOS."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    made = []
    for row in rows:
        prompt = tokenizer.encode(row["prompt"]).ids
        made.append((prompt + tokenizer.encode(row["completion"], add_special_tokens=False).ids + [eos], len(prompt)))
    return made


def mean_loss(model, batch, completion_only=False):
    """The batch padded on the right as trainers do; the sum over counted tokens by their number."""
    length = max(len(ids) for ids, _ in batch)
    ids = torch.tensor([ids + [0] * (length - len(ids)) for ids, _ in batch])
    mask = torch.tensor([[1] * len(ids) + [0] * (length - len(ids)) for ids, _ in batch])
    labels = torch.where(mask == 1, ids, -100)
    if completion_only:
        for row, (_, prompt) in enumerate(batch):
            labels[row, :prompt] = -100
    logits = model(input_ids=ids, attention_mask=mask).logits
    logits = logits if logits.dtype == torch.float64 else logits.float()
    total = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100, reduction="sum")
    return total / (labels[:, 1:] != -100).sum()


def tuned(folder, adapter, dtype):
    """The adapter is float32 on a base in 16 bit, and float64 on one in float64."""
    model = PeftModel.from_pretrained(base_model(folder, dtype), adapter, is_trainable=True)
    return model.double() if dtype == torch.float64 else model


def train(folder, adapter, batches, lr, dtype=torch.float32, completion_only=False):
    """A dict a step, and the model behind the last."""
    model = tuned(folder, adapter, dtype).eval()  # no dropout; gradients are recorded all the same
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01)
    schedule = get_cosine_schedule_with_warmup(optimizer, 0, len(batches))
    log = []
    for batch in batches:
        loss = mean_loss(model, batch, completion_only)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        log.append({"loss": loss.item(), "grad_norm": norm.item(), "lr": schedule.get_last_lr()[0]})
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    return log, model


def modules(model):
    """{(layer, "q_proj"): (A, B, alpha / r)} of a PeftModel."""
    found = {}
    for name, module in model.named_modules():
        if hasattr(module, "lora_A") and "default" in module.lora_A:
            parts = name.split(".")
            found[int(parts[parts.index("layers") + 1]), parts[-1]] = (
                module.lora_A["default"].weight, module.lora_B["default"].weight, module.scaling["default"])
    return found


def relative(left, right):
    """|left - right| / |right| in float64."""
    left, right = left.double(), right.double()
    return ((left - right).norm() / right.norm()).item()


# Philox4x32-10 as in the paper (Salmon and others, 2011).
MASK = (1 << 32) - 1


def philox(key, counter):
    k0, k1 = key & MASK, key >> 32
    c0, c1, c2, c3 = counter
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK, (p0 >> 32) ^ c3 ^ k1, p0 & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def permutation(count, key, purpose):
    """As core/data/permutation.h says."""
    order = list(range(count))
    for place in range(count - 1, 0, -1):
        attempt, end = 0, place + 1
        while True:
            low, high, _, _ = philox(key, (place & MASK, place >> 32, attempt, purpose))
            bits = low | high << 32
            if bits < (1 << 64) // end * end:
                break
            attempt += 1
        other = bits % end
        order[place], order[other] = order[other], order[place]
    return order


def epoch_order(seed, epoch, count):
    """As core/train/training_noise.h says: keyed by the seed, the stream "order" (2) and the epoch."""
    low, high, _, _ = philox(seed, (epoch & MASK, epoch >> 32, 2, 0x74726E31))
    return permutation(count, low | high << 32, 0)


def batches_of(examples, seed, epochs, batch_size):
    batches = []
    for epoch in range(epochs):
        order = epoch_order(seed, epoch, len(examples))
        batches += [[examples[i] for i in order[begin:begin + batch_size]] for begin in range(0, len(order), batch_size)]
    assert len(batches) == epochs * math.ceil(len(examples) / batch_size)
    return batches
