"""A checkpoint with the shape of a real model and random weights, for measurements of time and memory.

    make_shape.py SHAPE FOLDER

The weights are bfloat16, from a fixed seed; the tokenizer is that of the tiny checkpoints, so that most rows of the embedding
have no token.
"""
import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "oracle"))

import torch
from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM

from tiny_tokenizer import BOS, EOS, tiny_tokenizer

SHAPES = {
    "qwen2.5-0.5b": dict(hidden_size=896, num_hidden_layers=24, num_attention_heads=14, num_key_value_heads=2,
                         intermediate_size=4864, vocab_size=151936, tie_word_embeddings=True),
    "qwen2.5-1.5b": dict(hidden_size=1536, num_hidden_layers=28, num_attention_heads=12, num_key_value_heads=2,
                         intermediate_size=8960, vocab_size=151936, tie_word_embeddings=True),
}


def make_shape(shape, folder):
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    rope = {"rope_type": "default", "rope_theta": 1e6}
    config = Qwen2Config(max_position_embeddings=32768, rms_norm_eps=1e-6, rope_parameters=rope, bos_token_id=BOS,
                         eos_token_id=EOS, pad_token_id=None, dtype="bfloat16", **SHAPES[shape])
    model = Qwen2ForCausalLM(config)
    model.generation_config = GenerationConfig(bos_token_id=BOS, eos_token_id=EOS)
    model.save_pretrained(folder, safe_serialization=True)
    tiny_tokenizer("qwen2").save(str(folder / "tokenizer.json"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    make_shape(arguments.shape, arguments.folder)
