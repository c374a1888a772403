"""Adapters between peft and spd: what peft writes is computed as peft computes it, what `spd export peft` writes is loaded by
peft and gives the same logits, and the base model is named so that another machine finds it.
"""
import hashlib
import os
import sys
import tempfile
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers.utils import logging

from adapters import adapter_config, logits, make_adapter, store_as
from make_tiny_checkpoints import make_tiny_checkpoints
from support import reference_model, spd
from test_forward import TOLERANCE, ours, random_ids, relative_difference

VARIANTS = ("qwen2-tied", "qwen3-wide-heads", "llama-biases", "llama-llama3-type")
# name: LoraConfig's settings, the type that the tensors are stored in
CONFIGS = {
    "plain": ({}, None),
    "rslora": ({"use_rslora": True, "r": 4, "lora_dropout": 0.3}, None),
    "patterns": ({"rank_pattern": {"k_proj": 3, "layers.1.self_attn.v_proj": 5}, "use_rslora": True,
                  "alpha_pattern": {"^model.layers.0.self_attn.q_proj": 4.5, "o_proj": 1}}, None),
    "one layer": ({"layers_to_transform": [1], "target_modules": ["q_proj", "v_proj"], "init_lora_weights": "gaussian"}, None),
    "paths": ({"target_modules": ["model.layers.0.self_attn.k_proj", "layers.1.self_attn.o_proj"], "r": 1}, None),
    "bfloat16": ({"lora_alpha": 7}, torch.bfloat16),
    "float16": ({"lora_alpha": 0.25, "r": 64}, torch.float16),
}


def export(adapter, out, *options, **environment):
    process = spd("export", "peft", "--adapter", adapter, "--out", out, *options, env={**os.environ, **environment})
    if process.returncode != 0:
        sys.exit(f"spd export peft {adapter} failed with {process.returncode}: {process.stderr}")
    return process


def check(base, adapter, settings, dtype, temporary):
    """Largest relative difference of spd with peft's files, and of peft with spd's files, to peft."""
    model = make_adapter(base, adapter, seed=len(str(settings)), **settings)
    if dtype is not None:
        store_as(adapter, dtype)
        model = PeftModel.from_pretrained(reference_model(base, torch.float32), adapter).eval()
    sequences = random_ids(600, (1, 40), 3)
    expected = logits(model, sequences)
    with model.disable_adapter():
        plain = logits(model, sequences)
    assert relative_difference(expected[1], plain[1]) > 0.01, "an adapter that changes nothing proves nothing"
    read = max(map(relative_difference, ours(base, sequences, temporary, "--adapter", adapter), expected))

    out = temporary / "exported"
    export(adapter, out, "--overwrite")
    again = PeftModel.from_pretrained(reference_model(base, torch.float32), out).eval()
    written = max(map(relative_difference, logits(again, sequences), expected))
    theirs = load_file(adapter / "adapter_model.safetensors")
    mine = load_file(out / "adapter_model.safetensors")
    assert sorted(theirs) == sorted(mine)
    for name, tensor in theirs.items():
        assert mine[name].dtype == torch.float32 and torch.equal(mine[name], tensor.float()), name
    assert adapter_config(out)["base_model_name_or_path"] == base.name, adapter_config(out)
    return read, written


def hub_cache(base, folder):
    """A Hugging Face cache that holds `base` as org/tiny: snapshots are links into blobs."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = folder / "models--org--tiny"
    snapshot = repository / "snapshots" / commit
    for path in (snapshot, repository / "blobs", repository / "refs"):
        path.mkdir(parents=True)
    (repository / "refs/main").write_text(commit)
    for file in base.iterdir():
        blob = hashlib.sha256(file.read_bytes()).hexdigest()
        (repository / "blobs" / blob).write_bytes(file.read_bytes())
        (snapshot / file.name).symlink_to(f"../../blobs/{blob}")
    return commit


def check_base_names(base, temporary):
    """Repo id and commit from a cache, a plain name from a folder; a repo id that was there stays."""
    commit = hub_cache(base, temporary / "hub")
    adapter, out = temporary / "named", temporary / "named-out"
    make_adapter(base, adapter)
    cache = {"HF_HUB_CACHE": str(temporary / "hub")}
    export(adapter, out, "--base", "org/tiny", **cache)
    assert adapter_config(out)["base_model_name_or_path"] == "org/tiny" and adapter_config(out)["revision"] == commit
    card = (out / "README.md").read_text(encoding="utf-8")
    assert 'base_model: "org/tiny"' in card and commit in card and "library_name: peft" in card
    again = temporary / "named-again"
    export(out, again, **cache)  # finds the base by the name that the adapter has
    export(out, again, "--base", base, "--overwrite")
    assert adapter_config(again)["base_model_name_or_path"] == "org/tiny", "a name that works everywhere was lost"
    for folder in (out, again):
        for file in folder.iterdir():
            assert str(temporary) not in file.read_bytes().decode("latin-1"), f"{file} holds a path of this machine"


def check_refusals(base, other, temporary):
    adapter = temporary / "refused"
    make_adapter(base, adapter)
    before = sorted(temporary.iterdir())

    def refused(code, naming, *arguments):
        process = spd("export", "peft", "--adapter", adapter, *arguments)
        assert (process.returncode, process.stdout) == (code, ""), process
        assert process.stderr.count("\n") == 1 and naming in process.stderr, process.stderr
        assert sorted(temporary.iterdir()) == before
    refused(3, "this model", "--base", other, "--out", temporary / "x")
    refused(2, "--overwrite", "--base", base, "--out", base)
    refused(2, "spd_provenance.json", "--base", base, "--out", base, "--overwrite")
    refused(2, "would replace", "--base", base, "--out", adapter, "--overwrite")
    refused(2, "nowhere", "--base", base, "--out", temporary / "nowhere/x")
    refused(2, "no such", "--base", "no such model", "--out", temporary / "x")
    refused(2, "--out", "--base", base)


def main():
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        bases = make_tiny_checkpoints(temporary / "tiny", VARIANTS)
        runs = [(name, bases[i % len(bases)]) for i, name in enumerate(CONFIGS)] + [("plain", base) for base in bases[1:]]
        worst_read = worst_written = 0.0
        for number, (name, base) in enumerate(runs):
            read, written = check(base, temporary / f"adapter{number}", *CONFIGS[name], temporary)
            print(f"{name} on {base.name}: spd with peft's files {read:.2g}, peft with spd's files {written:.2g}")
            worst_read, worst_written = max(worst_read, read), max(worst_written, written)
        print(f"measured: {len(runs)} adapters of peft, float32: largest difference of the logits computed by spd {worst_read:.2g}, "
              f"exported and loaded by peft {worst_written:.2g} of the largest logit")
        check_base_names(bases[0], temporary)
        check_refusals(bases[0], bases[1], temporary)
        if worst_read > TOLERANCE or worst_written > TOLERANCE:
            sys.exit("spd and peft differ")


if __name__ == "__main__":
    main()
