"""Byte-level BPE tokenizers of the three families, trained on a few hundred questions of GSM8K."""
import json
import os
from functools import cache
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TRAIN = Path(os.environ.get("SPD_SOURCE_DIR") or Path(__file__).parents[2]) / "resources/datasets/gsm8k/train.jsonl"
QUESTIONS = 300
TOKENS = 600
SPECIAL = ["<|begin|>", "<|end|>", "<|pad|>", "<|im_start|>", "<|im_end|>"]
BOS, EOS, PAD = 0, 1, 2
CHAT_TEMPLATE = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
                 "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def split(digits):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(PATTERN % digits), "isolated"),
                                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


@cache
def tiny_tokenizer(family):
    """`family` as config.json's model_type. Llama's puts <|begin|> before a text, as Llama 3's does."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=family == "llama"))
    if family != "llama":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = split("{1,3}" if family == "llama" else "")
    tokenizer.decoder = decoders.ByteLevel()
    lines = TRAIN.read_text(encoding="utf-8").splitlines()[:QUESTIONS]
    trainer = trainers.BpeTrainer(vocab_size=TOKENS, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.train_from_iterator((json.loads(line)["question"] for line in lines), trainer)
    assert tokenizer.get_vocab_size() == TOKENS
    if family == "llama":
        tokenizer.post_processor = processors.TemplateProcessing("<|begin|> $A", special_tokens=[("<|begin|>", BOS)])
    return tokenizer
