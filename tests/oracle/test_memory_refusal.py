"""A checkpoint that is sound but far larger than the machine's memory (sparse files: they take no disk) is refused with both
numbers before a weight is read, by every command that would load it; `spd inspect` still reports on it.
"""
import json
import shutil
import struct
import sys
import tempfile
import time
from pathlib import Path

from make_tiny_checkpoints import VARIANTS, make_tiny_checkpoints
from support import spd, write_lines

LAYERS, HIDDEN, FEED_FORWARD, VOCABULARY, HEADS = 100, 16384, 53248, 128256, 128


def expect(condition, text):
    if not condition:
        sys.exit(text)


def shapes():
    attention = {f"self_attn.{name}_proj.weight": [HIDDEN, HIDDEN] for name in "qkvo"}
    mlp = {"mlp.gate_proj.weight": [FEED_FORWARD, HIDDEN], "mlp.up_proj.weight": [FEED_FORWARD, HIDDEN],
           "mlp.down_proj.weight": [HIDDEN, FEED_FORWARD]}
    norms = {"input_layernorm.weight": [HIDDEN], "post_attention_layernorm.weight": [HIDDEN]}
    yield from ((f"model.layers.{i}.{name}", shape) for i in range(LAYERS) for name, shape in (attention | mlp | norms).items())
    yield from (("model.embed_tokens.weight", [VOCABULARY, HIDDEN]), ("lm_head.weight", [VOCABULARY, HIDDEN]),
                ("model.norm.weight", [HIDDEN]))


def make_giant(folder, tiny):
    folder.mkdir()
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN, "num_hidden_layers": LAYERS,
              "intermediate_size": FEED_FORWARD, "num_attention_heads": HEADS, "num_key_value_heads": HEADS,
              "vocab_size": VOCABULARY, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5, "hidden_act": "silu",
              "tie_word_embeddings": False, "torch_dtype": "bfloat16", "eos_token_id": 1}
    (folder / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny / name, folder / name)
    header, end = {}, 0
    for name, shape in shapes():
        size = 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)
    return end


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        size = make_giant(folder / "giant", make_tiny_checkpoints(folder / "tiny", only=list(VARIANTS)[:1])[0])
        write_lines(folder / "prompts.jsonl", [{"prompt": "one"}])
        write_lines(folder / "ids.jsonl", [{"ids": [1, 2, 3]}])
        slowest = 0
        write_lines(folder / "examples.jsonl", [{"input_ids": [1, 2, 3], "target_positions": [2]}])
        for command in (["generate", folder / "giant", "--prompts", folder / "prompts.jsonl", "--out", folder / "out.jsonl"],
                        ["forward", folder / "giant", "--ids", folder / "ids.jsonl", "--out", folder / "out.safetensors"],
                        ["calibrate", folder / "giant", "--examples", folder / "examples.jsonl", "--out", folder / "sub"]):
            start = time.monotonic()
            process = spd(*command)
            slowest = max(slowest, time.monotonic() - start)
            expect(process.returncode == 1 and process.stderr.count("\n") == 1, f"{command[0]}: {process}")
            expect("GiB of memory" in process.stderr and "are free" in process.stderr, process.stderr)
        left = sorted(path.name for path in folder.iterdir())
        expect(left == ["examples.jsonl", "giant", "ids.jsonl", "prompts.jsonl", "tiny"], f"left behind: {left}")
        report = spd("inspect", folder / "giant", "--json", "--context", "2147483648")
        found = json.loads(report.stdout)
        expect(report.returncode == 0 and found["memory"]["weights_bytes"] >= size, report)
        print(f"measured: a checkpoint of {size / 2**30:.0f} GiB refused in {slowest:.2f} s")


if __name__ == "__main__":
    main()
