"""Inverse frequencies of RoPE against transformers, bit for bit: every head size and theta of the families, llama3 scaling with
the numbers of Llama 3.1 and 3.2 and with odd ones, both spellings of config.json.
"""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

DRIVER = Path(os.environ["SPD_BIN"]) / "rope_driver"
BASE = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 256, "intermediate_size": 64,
        "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 32, "hidden_act": "silu",
        "max_position_embeddings": 131072, "rms_norm_eps": 1e-5, "tie_word_embeddings": False, "torch_dtype": "float32"}
SCALINGS = (
    None,
    {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192},
    {"factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192},
    {"factor": 3.7, "low_freq_factor": 1.3, "high_freq_factor": 5.9, "original_max_position_embeddings": 57},
)


def configs():
    for head_dim in (2, 16, 30, 64, 80, 96, 128, 256):
        for theta in (10000.0, 100000.0, 500000.0, 1000000.0, 1234.5):
            for scaling in SCALINGS:
                common = BASE | {"head_dim": head_dim}
                rope = (scaling or {}) | {"rope_type": "llama3" if scaling else "default"}
                yield common | {"rope_theta": theta} | ({"rope_scaling": rope} if scaling else {})
                yield common | {"rope_parameters": rope | {"rope_theta": theta}}


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folders = []
        for number, config in enumerate(configs()):
            folder = Path(temporary) / str(number)
            folder.mkdir()
            (folder / "config.json").write_text(json.dumps(config))
            folders.append(folder)
        output = subprocess.run([DRIVER, *folders], capture_output=True, text=True, check=True).stdout.splitlines()
        assert len(output) == len(folders)
        differing = values = 0
        for folder, line in zip(folders, output):
            ours = numpy.array(line.split(), dtype=numpy.uint32)
            theirs = LlamaRotaryEmbedding(LlamaConfig.from_pretrained(folder)).inv_freq.numpy().view(numpy.uint32)
            assert ours.shape == theirs.shape, folder
            values += ours.size
            differing += int((ours != theirs).sum())
    print(f"measured: {values} inverse frequencies of {len(folders)} configs, {differing} differ in a bit from transformers")
    if differing:
        sys.exit(1)


if __name__ == "__main__":
    main()
