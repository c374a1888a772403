#!/usr/bin/env python3
"""The tokenizer against the `tokenizers` library: ids, decoded text, streamed decoding and where each token came from.

Real vocabularies (make_vocabularies.py) and small ones that use what the real ones do not (added tokens that strip or are
normalised, unknown bytes, byte fallback, other chains of steps). Texts of tokenizer_texts.py, and every code point.

A real vocabulary must also encode at least 3 MB of English in a second of one processor.

    test_tokenizer.py [NAME ...]    only these vocabularies, or "variants"
"""
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import make_vocabularies
import tokenizer_texts
import tokenizer_variants
from tokenizers import Tokenizer

DRIVER = Path(os.environ["SPD_BIN"]) / "tokenize_driver"
LAST = 0x10FFFF
CONTEXTS = {"qwen2.5": ("'Xe", " XX\n", "e\u0327X\u0301 ", "\u1100X"), "smollm2": ("'Xe", " XX\n")}
SLOWEST = 3e6  # bytes per second
failures = 0


def fail(message):
    global failures
    failures += 1
    if failures <= 20:
        print(f"DIFFERENT {message}", flush=True)


class Answer:
    """What the driver says of one text (its protocol is in tokenize_driver.cpp)."""

    def __init__(self, data, at, short):
        count, = struct.unpack_from("<I", data, at)
        self.ids = list(struct.unpack_from(f"<{count}i", data, at + 4))
        self.decoded, at = self.read_text(data, at + 4 + 4 * count)
        if not short:
            flat = struct.unpack_from(f"<{2 * count}I", data, at)
            self.ranges = list(zip(flat[::2], flat[1::2]))
            self.skipped, at = self.read_text(data, at + 8 * count)
            self.streams = data[at] == 1
            at += 1
        self.end = at

    @staticmethod
    def read_text(data, at):
        size, = struct.unpack_from("<I", data, at)
        return data[at + 4:at + 4 + size].decode("utf-8"), at + 4 + size


def ask(folder, texts, add_special, short=False):
    """The driver's answers for texts as bytes."""
    sent = b"".join(struct.pack("<BI", add_special + 2 * short, len(text)) + text for text in texts)
    process = subprocess.run([DRIVER, folder], input=sent, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if process.returncode != 0:
        sys.exit(f"tokenize_driver failed with {process.returncode}: {process.stderr.decode()}")
    at = 0
    for _ in texts:
        answer = Answer(process.stdout, at, short)
        at = answer.end
        yield answer


def reference(folder):
    """The library on the same file, with offsets of whole tokens: trim_offsets takes the blank off "Ġword"."""
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))

    def untrim(node):
        if isinstance(node, dict):
            if "trim_offsets" in node:
                node["trim_offsets"] = False
            for name in ("pretokenizers", "processors"):
                for part in node.get(name, []):
                    untrim(part)

    for name in ("pre_tokenizer", "post_processor"):
        untrim(content.get(name))
    return Tokenizer.from_str(json.dumps(content))


def byte_offsets(text):
    """Bytes before each character."""
    if text.isascii():
        return range(len(text) + 1)
    offsets = [0]
    for character in text:
        offsets.append(offsets[-1] + len(character.encode("utf-8")))
    return offsets


def ranges_agree(text, ranges, offsets, exact):
    """Equal where normalisation changed nothing, else the reference's (it names one of the characters that were composed)
    inside ours. Tokens of the post-processor have an empty range."""
    at = byte_offsets(text)
    for ours, theirs in zip(ranges, offsets):
        theirs = (at[theirs[0]], at[theirs[1]])
        same = ours == theirs or ours[0] == ours[1] and theirs == (0, 0)
        if not same and (exact or not (ours[0] <= theirs[0] and theirs[1] <= ours[1])):
            return False
    return True


def compare(name, library, text, answer, add_special, check_ranges=True, theirs=None):
    theirs = theirs or library.encode(text, add_special_tokens=add_special)
    if answer.ids != theirs.ids:
        fail(f"{name}: ids of {text[:80]!a}: {answer.ids[:20]} {theirs.ids[:20]}")
        return
    for ours, skip in ((answer.decoded, False), (answer.skipped, True)):
        if ours != library.decode(theirs.ids, skip_special_tokens=skip):
            fail(f"{name}: decoded {text[:80]!a}: {ours[:80]!a}")
    if not answer.streams:
        fail(f"{name}: streamed decoding of {text[:80]!a}")
    unchanged = library.normalizer is None or library.normalizer.normalize_str(text) == text
    if check_ranges and not ranges_agree(text, answer.ranges, theirs.offsets, unchanged):
        fail(f"{name}: ranges of {text[:80]!a}: {answer.ranges[:12]} {theirs.offsets[:12]}")


def compare_texts(name, folder, library, texts, add_special, check_ranges=True):
    answers = ask(folder, [text.encode("utf-8") for text in texts], add_special)
    for text, answer, theirs in zip(texts, answers, library.encode_batch(texts, add_special_tokens=add_special)):
        compare(name, library, text, answer, add_special, check_ranges, theirs)
    return len(texts)


def check_speed(name, folder, texts):
    english = "\n".join(texts).encode("utf-8")
    process = subprocess.run([DRIVER, folder, "--speed"], input=english, capture_output=True, check=True)
    speed = float(process.stdout)
    print(f"measured: {name}: {speed / 1e6:.1f} MB of English a second of one processor", flush=True)
    if speed < SLOWEST:
        fail(f"{name}: {speed / 1e6:.1f} MB/s")


def compare_invalid(name, folder, library):
    """Invalid bytes are replaced as Python does it; ranges are in the bytes as they were."""
    texts = list(tokenizer_texts.invalid_utf8())
    for raw, answer in zip(texts, ask(folder, texts, add_special=False)):
        compare(name, library, raw.decode("utf-8", "replace"), answer, False, check_ranges=False)
        if any(not 0 <= begin < end <= len(raw) for begin, end in answer.ranges):
            fail(f"{name}: ranges of {raw!a}: {answer.ranges}")
    return len(texts)


def sweep(name, folder, library, context, codes, separator):
    """Every code point in a context, many to a text; an added token between two keeps them apart."""
    chunk = 256
    texts = []
    for first in range(0, len(codes), chunk):
        texts.append(separator.join(context.replace("X", chr(code)) for code in codes[first:first + chunk]))
    answers = ask(folder, [text.encode("utf-8") for text in texts], False, short=True)
    for text, answer, theirs in zip(texts, answers, library.encode_batch_fast(texts, add_special_tokens=False)):
        if answer.ids != theirs.ids or answer.decoded != library.decode(theirs.ids, skip_special_tokens=False):
            parts = text.split(separator)
            for part, single in zip(parts, ask(folder, [part.encode("utf-8") for part in parts], False)):
                compare(name, library, part, single, False)
            fail(f"{name}: a sweep of {context!a}")
    return len(codes)


def sweeps(name, folder, library, separator):
    """All code points alone and between others, for each family of patterns and tables; qwen3's are qwen2.5's. The planes
    in which there is no character are swept in context once."""
    every = [code for code in range(LAST + 1) if not 0xD800 <= code <= 0xDFFF]
    planes = [code for code in every if code < 0x40000 or 0xE0000 <= code < 0xE1000]
    low = [code for code in every if code < 0x20000]
    total = sweep(name, folder, library, "X", planes if name == "qwen3" else every, separator)
    total += sweep(name, folder, library, "aX1 ", every if name == "qwen2.5" else planes, separator)
    for context in CONTEXTS.get(name, ()):
        total += sweep(name, folder, library, context, low, separator)
    return total


def check_real(name, folder, data_sets):
    library = reference(folder)
    contents = [token.content for token in library.get_added_tokens_decoder().values()]
    texts = tokenizer_texts.special_texts(contents[:40])
    assert len(texts) >= 5000, len(texts)
    # The library loses count of the bytes behind one without a token (SmolLM2 has 21 of those).
    check_ranges = name != "smollm2"
    count = compare_texts(name, folder, library, texts, True, check_ranges)
    count += compare_texts(name, folder, library, data_sets, False)
    count += compare_invalid(name, folder, library)
    check_speed(name, folder, data_sets)
    swept = sweeps(name, folder, library, contents[0])
    print(f"measured: {name}: {count} texts, {swept} code points in context, {failures} different", flush=True)


def check_variants(folder):
    contents = tokenizer_variants.added_contents()
    texts = tokenizer_texts.special_texts(contents)
    texts += tokenizer_variants.texts(contents)
    names = []
    for name, content in tokenizer_variants.variants().items():
        target = folder / name
        target.mkdir()
        (target / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
        compare_texts(name, target, reference(target), texts, True, check_ranges=name in tokenizer_variants.EXACT_RANGES)
        names.append(name)
    print(f"measured: {len(names)} variants ({', '.join(names)}): {len(texts)} texts each, {failures} different", flush=True)


def main():
    began = time.time()
    wanted = sys.argv[1:]
    data_sets = tokenizer_texts.data_set_texts()
    if not data_sets:
        fail("resources/datasets has no GSM8K and no MBPP")
    for name, folder in make_vocabularies.vocabularies().items():
        if not wanted or name in wanted:
            check_real(name, folder, data_sets)
    if not wanted or "variants" in wanted:
        with tempfile.TemporaryDirectory() as folder:
            check_variants(Path(folder))
    print(f"measured: {failures} differences in all, {time.time() - began:.0f} s")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
