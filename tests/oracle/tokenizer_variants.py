"""Small tokenizers that use what the real ones leave out: flags of added tokens, unknown bytes, other chains of steps."""
import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

import tokenizer_texts
from make_vocabularies import CHARACTERS, PATTERN, byte_level


# Those whose vocabulary has all bytes: behind a byte without a token the library loses count.
EXACT_RANGES = ("added", "added-nfc", "ignore-merges", "digits-together", "split-removed-inverted", "split-then-gpt2",
                "digits-then-split", "no-split")


def added_contents():
    return ["<one>", "<one", "<left>", "<right>", "<both>", "<word>", "caf\u0065\u0301", "naïve", "\u1100\u1161", "ab", " ", "é",
            "<plain>", "Ω", "<s>"]


def added_tokens(vocab):
    flags = {"<left>": {"lstrip": True}, "<right>": {"rstrip": True}, "<both>": {"lstrip": True, "rstrip": True},
             "<word>": {"single_word": True}, "ab": {"single_word": True},
             " ": {"rstrip": True, "single_word": True},
             "caf\u0065\u0301": {"normalized": True, "special": True}, "naïve": {"normalized": True},
             "\u1100\u1161": {"normalized": True}, "Ω": {"normalized": True}, "<plain>": {"special": False}}
    tokens = []
    next_id = len(vocab)
    for content in added_contents():
        token = {"id": vocab.get(content, next_id), "content": content, "single_word": False, "lstrip": False, "rstrip": False,
                 "normalized": False, "special": True}
        next_id += content not in vocab
        token.update(flags.get(content, {}))
        tokens.append(token)
    return tokens


def trained(alphabet):
    """A BPE model of 1,200 tokens over `alphabet`, trained on the sentences of tokenizer_texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=1200, initial_alphabet=alphabet, limit_alphabet=len(alphabet),
                                  show_progress=False)
    tokenizer.train_from_iterator(tokenizer_texts.SENTENCES * 3, trainer)
    return json.loads(tokenizer.to_str())


def base(content, **model):
    made = json.loads(json.dumps(content))
    made["model"].update(model)
    return made


def with_tokens(content, tokens):
    """Vocabulary entries at the end."""
    vocab = content["model"]["vocab"]
    for token in tokens:
        vocab.setdefault(token, len(vocab))
    return content


def split(digits, behavior, invert):
    return {"type": "Split", "pattern": {"Regex": PATTERN % digits}, "behavior": behavior, "invert": invert}


def sequence(name, *parts):
    return {"type": "Sequence", name: list(parts)}


def template(bos, eos):
    def special(token):
        return {"SpecialToken": {"id": token, "type_id": 0}}

    text = {"Sequence": {"id": "A", "type_id": 0}}
    return {"type": "TemplateProcessing", "single": [special("B"), text, special("E")],
            "pair": [text, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"B": {"id": "B", "ids": bos, "tokens": ["B"] * len(bos)},
                               "E": {"id": "E", "ids": eos, "tokens": ["E"] * len(eos)}}}


def variants():
    whole = trained([CHARACTERS[byte] for byte in range(256)])
    printable = [CHARACTERS[byte] for byte in [*range(0x20, 0x7F), 0x0A, 0xC3, 0xA9]]
    partial = trained(printable)
    made = {}

    added = base(whole)
    added["normalizer"] = sequence("normalizers", {"type": "NFC"})
    added["added_tokens"] = added_tokens(added["model"]["vocab"])
    added["post_processor"] = sequence("processors", byte_level(True, True), template([3, 4], [5]))
    made["added-nfc"] = added
    plain = base(added)
    plain["normalizer"] = None
    made["added"] = plain

    made["dropped-bytes"] = base(partial)
    for fuse in (False, True):
        made[f"unknown-{'fused' if fuse else 'single'}"] = with_tokens(
            base(partial, unk_token="<unk>", fuse_unk=fuse), ["<unk>"])
    codes = [f"<0x{byte:02X}>" for byte in range(256)]
    made["byte-fallback"] = with_tokens(base(partial, byte_fallback=True), codes)
    made["fallback-with-unknown"] = with_tokens(
        base(partial, byte_fallback=True, unk_token="<unk>", fuse_unk=True), ["<unk>", *codes[:0xC5]])
    made["ignore-merges"] = base(whole, ignore_merges=True)

    chains = {
        "digits-together": [{"type": "Digits", "individual_digits": False}, byte_level(True, True)],
        "split-removed-inverted": [split("{1,3}", "Removed", True), byte_level(True, False)],
        "split-then-gpt2": [split("", "Isolated", False), byte_level(True, True)],
        "digits-then-split": [{"type": "Digits", "individual_digits": True}, split("{1,3}", "Isolated", False),
                              byte_level(True, False)],
        "no-split": [byte_level(True, False)],
    }
    for name, parts in chains.items():
        made[name] = base(whole)
        made[name]["pre_tokenizer"] = sequence("pretokenizers", sequence("pretokenizers", *parts))
    return made


def texts(contents):
    """Added tokens among blanks, words and decomposed characters."""
    import random

    rng = random.Random(11)
    pool = contents * 2 + [" ", "  ", "\n", "a", "b", "_", "1", "\u0301", "e", "caf", "\u11a8", "\u3000", "\u200d", "\u2126", "-", "é"]
    return ["".join(rng.choice(pool) for _ in range(rng.randint(1, 12))) for _ in range(4000)]
