"""Tiny random checkpoints of every family variant that the program computes, each with a tokenizer, from seeds.

    make_tiny_checkpoints.py FOLDER

makes FOLDER/<variant>/ (those that are there already are kept) and prints the folders. The variants differ in family, tied or
untied head, biases, q_norm/k_norm, head size, heads to a KV head, RoPE scaling, stored type, shards, and in the spelling of
config.json (transformers 4 and 5). Weights are drawn wide enough that logits spread over several units; norms and biases are
random too, so that a forgotten one shows.
"""
import json
import math
import os
import shutil
import sys
from pathlib import Path

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, \
    Qwen3ForCausalLM
from transformers.utils import logging

from tiny_tokenizer import CHAT_TEMPLATE, EOS, BOS, PAD, tiny_tokenizer

PADDED_ROWS = 24  # rows of the embedding that have no token
POSITIONS = 1024
FAMILIES = {"qwen2": (Qwen2Config, Qwen2ForCausalLM), "qwen3": (Qwen3Config, Qwen3ForCausalLM),
            "llama": (LlamaConfig, LlamaForCausalLM)}


def llama3(original, factor=8.0):
    return {"rope_type": "llama3", "factor": factor, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": original}


def shape(hidden, heads, kv_heads, head_dim, ff, layers=3):
    return {"hidden_size": hidden, "num_attention_heads": heads, "num_key_value_heads": kv_heads, "head_dim": head_dim,
            "intermediate_size": ff, "num_hidden_layers": layers}


# name: family, config, theta, stored type, sharded, spelling, eos ids in generation_config.json
VARIANTS = {
    "qwen2-tied": ("qwen2", shape(64, 4, 2, 16, 160) | {"tie_word_embeddings": True}, 1e6, "float32", False, 5, [EOS]),
    "qwen3-wide-heads": ("qwen3", shape(96, 4, 1, 64, 136) | {"tie_word_embeddings": False}, 1e6, "bfloat16", True, 5, [EOS, PAD]),
    "llama-llama3-tied": ("llama", shape(128, 8, 2, 16, 200) | {"tie_word_embeddings": True, "rope": llama3(64)}, 5e5, "float32",
                          True, 4, [EOS, PAD]),
    "llama-biases": ("llama", shape(112, 7, 1, 16, 120) | {"attention_bias": True, "mlp_bias": True}, 1e4, "float16", False, 4,
                     None),
    "qwen2-untied-gqa7": ("qwen2", shape(448, 7, 1, 64, 320, layers=2) | {"tie_word_embeddings": False}, 1e6, "bfloat16", True, 4,
                          [EOS]),
    "qwen3-head128-biases": ("qwen3", shape(80, 2, 2, 128, 96) | {"tie_word_embeddings": True, "attention_bias": True}, 1e4,
                             "float16", False, 4, [EOS]),
    "llama-plain": ("llama", shape(128, 2, 2, 64, 192), 1e5, "float32", False, 5, None),
    "llama-llama3-type": ("llama", shape(128, 4, 1, 128, 160) | {"rope": llama3(48, 32.0), "attention_bias": True}, 5e5,
                          "bfloat16", False, "4-type", [EOS]),
    "llama-llama3-5": ("llama", shape(96, 6, 3, 16, 100) | {"rope": llama3(40, 4.0), "mlp_bias": True}, 1e4, "float32", True, 5,
                       [EOS]),
}


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    hidden = model.config.hidden_size
    for name, parameter in model.named_parameters():
        values = torch.randn(parameter.shape, generator=generator)
        if name.endswith("norm.weight"):
            values = 1 + 0.3 * values
        elif name.endswith(".bias"):
            values = 0.5 * values
        elif "embed_tokens" in name or "lm_head" in name:
            values = 2.5 / math.sqrt(hidden) * values
        else:
            values = 1.2 / math.sqrt(parameter.shape[1]) * values
        parameter.data.copy_(values)


def spell_as_transformers_4(path, scaling_key):
    """The config.json of a checkpoint that was saved before transformers 5."""
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    kind = rope.pop("rope_type")
    config["rope_scaling"] = None if kind == "default" else rope | {scaling_key: kind}
    config["torch_dtype"] = config.pop("dtype")
    config["transformers_version"] = "4.46.0"
    config.pop("layer_types", None)
    if config["head_dim"] * config["num_attention_heads"] == config["hidden_size"]:
        del config["head_dim"]  # written only where it says something
    if config["model_type"] != "llama":
        config |= {"use_sliding_window": False, "sliding_window": 16, "max_window_layers": 1}
    path.write_text(json.dumps(config, indent=2) + "\n")


def save(folder, seed, family, settings, theta, stored, sharded, spelling, eos):
    config_class, model_class = FAMILIES[family]
    settings = dict(settings)
    tokenizer = tiny_tokenizer(family)
    rope = {"rope_type": "default"} | settings.pop("rope", {}) | {"rope_theta": theta}
    config = config_class(vocab_size=tokenizer.get_vocab_size() + PADDED_ROWS, max_position_embeddings=POSITIONS,
                          rope_parameters=rope, bos_token_id=BOS, eos_token_id=EOS, pad_token_id=None, **settings)
    model = model_class(config)
    randomise(model, seed)
    model.generation_config = GenerationConfig(bos_token_id=BOS, eos_token_id=eos or EOS)
    model.to(getattr(torch, stored)).save_pretrained(folder, safe_serialization=True,
                                                     max_shard_size="100KB" if sharded else "1GB")
    if spelling != 5:
        spell_as_transformers_4(folder / "config.json", "type" if spelling == "4-type" else "rope_type")
    if eos is None:
        (folder / "generation_config.json").unlink()
    tokenizer.save(str(folder / "tokenizer.json"))
    special = {"bos_token": "<|begin|>", "eos_token": "<|end|>", "pad_token": "<|pad|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": CHAT_TEMPLATE} | special, indent=2) + "\n")


def make_tiny_checkpoints(folder, only=tuple(VARIANTS)):
    """The folders, one a variant, in the order of VARIANTS."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    logging.disable_progress_bar()
    for seed, (name, settings) in enumerate(VARIANTS.items(), start=100):
        if name not in only or (folder / name).is_dir():
            continue
        half_made = folder / f".{name}.{os.getpid()}"
        shutil.rmtree(half_made, ignore_errors=True)
        save(half_made, seed, *settings)
        half_made.rename(folder / name)
    return [folder / name for name in VARIANTS if name in only]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(*make_tiny_checkpoints(sys.argv[1]), sep="\n")
