"""`spd inspect` on checkpoints that transformers saved: what it says about architecture, tensors and sizes, and what it
does with folders that do not load."""
import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config
from transformers.utils import logging

from support import spd

logging.disable_progress_bar()
SIZES = dict(hidden_size=48, intermediate_size=88, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2,
             vocab_size=131, max_position_embeddings=512, bos_token_id=1, eos_token_id=[2, 130])
LLAMA3 = dict(rope_type="llama3", rope_theta=5e5, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
VARIANTS = {
    "llama": LlamaConfig(**SIZES),
    "llama tied, llama3 RoPE": LlamaConfig(**SIZES, tie_word_embeddings=True, rope_parameters=LLAMA3),
    "llama with biases": LlamaConfig(**SIZES, attention_bias=True, mlp_bias=True, head_dim=20),
    "qwen2 tied": Qwen2Config(**SIZES, tie_word_embeddings=True, rope_parameters=dict(rope_type="default", rope_theta=1e6)),
    "qwen3": Qwen3Config(**SIZES, head_dim=16),
    "qwen3 with biases": Qwen3Config(**SIZES, head_dim=16, attention_bias=True),
}
checks = 0


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        sys.exit(f"failed: {what}")


def inspect(folder, code=0):
    process = spd("inspect", folder, "--json")
    check(process.returncode == code, f"exit {process.returncode} instead of {code}: {process.stderr}")
    return json.loads(process.stdout)


def refused(folder, code, *naming):
    process = spd("inspect", folder)
    check(process.returncode == code, f"exit {process.returncode} instead of {code}: {process.stderr}")
    check(process.stdout == "" and process.stderr.count("\n") == 1, f"more than a line: {process.stdout}{process.stderr}")
    for text in naming:
        check(text in process.stderr, f"{text} is not named: {process.stderr}")


def compare(config, folder, dtype, shards):
    model = AutoModelForCausalLM.from_config(config, dtype=dtype)
    model.save_pretrained(folder, max_shard_size="40KB" if shards else "5GB")
    found = inspect(folder)
    stored = {name: tensor for name, tensor in model.state_dict().items()
              if not (config.tie_word_embeddings and name == "lm_head.weight")}
    check(found["loads"] and found["refusals"] == [], found["refusals"])
    check(found["parameters"] == sum(p.numel() for p in model.parameters()), "parameters")
    check({t["name"]: t["shape"] for t in found["tensors"]} == {n: list(t.shape) for n, t in stored.items()}, "tensors")
    check(found["counts"] == {"found": len(stored), "missing": 0, "wrong_shape": 0, "wrong_type": 0, "unused": 0}, "counts")
    attention = model.model.layers[0].self_attn
    check(found["kv_width"] == attention.k_proj.out_features, "kv_width")
    check(found["config"]["head_dim"] == attention.head_dim, "head_dim")
    check(found["config"]["qkv_bias"] == (attention.k_proj.bias is not None), "qkv_bias")
    check(found["config"]["o_bias"] == (attention.o_proj.bias is not None), "o_bias")
    check(found["config"]["eos_token_ids"] == [2, 130] and found["config"]["bos_token_id"] == 1, "token ids")
    check(found["config"]["dtype"] == str(dtype)[6:], "dtype")
    check(found["tied"] == config.tie_word_embeddings, "tied")
    check(found["rope"]["kind"] == config.rope_parameters["rope_type"], "RoPE kind")
    check(found["rope"]["theta"] == config.rope_parameters["rope_theta"], "RoPE theta")
    check((found["stored"]["files"] > 1) == shards, "files")
    check(found["stored"]["bytes"] == sum(t.numel() * t.element_size() for t in stored.values()), "bytes")


def broken(folder):
    """One model, damaged one way after another."""
    AutoModelForCausalLM.from_config(VARIANTS["qwen2 tied"], dtype=torch.float32).save_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    changed = {name: tensor for name, tensor in weights.items() if "layers.1" not in name}
    changed["model.norm.weight"] = torch.zeros(49)
    changed["extra.inv_freq"] = torch.zeros(3)
    save_file(changed, folder / "model.safetensors")
    found = inspect(folder, code=3)
    missing = [t["name"] for t in found["tensors"] if t["state"] == "missing"]
    check(sorted(missing) == sorted(n for n in weights if "layers.1" in n), missing)
    check([t["name"] for t in found["tensors"] if t["state"] == "wrong_shape"] == ["model.norm.weight"], "wrong shape")
    check([t["name"] for t in found["tensors"] if t["state"] == "unused"] == ["extra.inv_freq"], "unused")
    check(len(found["refusals"]) == len(missing) + 1 and not found["loads"], found["refusals"])
    text = spd("inspect", folder)
    check(text.returncode == 3 and text.stdout.startswith("refused"), text.stdout)

    lines = spd("inspect", folder, "-v").stdout.splitlines()[-len(found["tensors"]):]
    listed = [line.replace(",", " ").split()[:2] for line in lines]
    bad_first = sorted(found["tensors"], key=lambda tensor: tensor["state"] == "found")
    check(listed == [[t["state"], t["name"]] for t in bad_first], f"-v does not list every tensor, the bad ones first: {listed}")

    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    report = inspect(folder, code=3)
    check(not report["loads"] and "pickle" in report["refusals"][0], report)
    refused(folder, 3, "pytorch_model.bin", "pickle")
    config = json.loads((folder / "config.json").read_text())
    for change in ({"model_type": "gpt2"}, {"auto_map": {"AutoModel": "x.py"}}, {"hidden_size": 0}, {"num_hidden_layers": 513}):
        (folder / "config.json").write_text(json.dumps({**config, **change}))
        refused(folder, 3, "config.json", next(iter(change)))
    refused(folder / "none", 2, "hf download")
    refused("some-org/some-model", 2, "hf download some-org/some-model")


def main():
    with tempfile.TemporaryDirectory() as name:
        for variant, config in VARIANTS.items():
            for dtype in (torch.float32, torch.bfloat16, torch.float16):
                for shards in (False, True):
                    torch.manual_seed(0)
                    folder = Path(name) / "model"
                    compare(config, folder, dtype, shards)
                    shutil.rmtree(folder)
        broken(Path(name) / "broken")
    print(f"measured: spd inspect agrees with transformers on {len(VARIANTS) * 6} checkpoints, {checks} checks")


if __name__ == "__main__":
    main()
