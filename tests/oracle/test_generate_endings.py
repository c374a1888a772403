"""How a completion ends, end to end: by the EOS ids of generation_config.json where it names any, else config.json's, as in
`transformers.generate`; by a stop string; by --max-new-tokens; where the model's positions are used up.
"""
import json
import sys
import tempfile
from pathlib import Path

import torch

from make_tiny_checkpoints import POSITIONS, make_tiny_checkpoints
from support import generate, reference_model, sample_tokenizer, spd, write_lines

PROMPT = "Two trains leave at noon. How far apart are they at three?"
NEW_TOKENS = 60
checks = 0


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        sys.exit(f"failed: {what}")


class Case:
    """A tiny checkpoint, its tokenizer, and what it says when nothing ends it."""

    def __init__(self, model, folder):
        self.model = model
        self.folder = folder
        self.tokenizer = sample_tokenizer(model)
        self.prompt_ids = self.tokenizer.encode(PROMPT).ids
        # The last row of the embedding has no token: it is never sampled.
        self.never = json.loads((model / "config.json").read_text())["vocab_size"] - 1
        self.set_eos(self.never, None)
        self.ids = self.complete()["completion_ids"]
        check(len(self.ids) == NEW_TOKENS, "the completion ended by itself")

    def set_eos(self, config, generation):
        """generation: the value of eos_token_id there, None for no such key, "" for no such file."""
        path = self.model / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"eos_token_id": config}))
        path = self.model / "generation_config.json"
        path.unlink(missing_ok=True)
        if generation != "":
            path.write_text(json.dumps({} if generation is None else {"eos_token_id": generation}))

    def complete(self, *options, prompt=PROMPT, new_tokens=NEW_TOKENS):
        write_lines(self.folder / "prompts.jsonl", [{"prompt": prompt}])
        return generate(self.model, self.folder / "prompts.jsonl", self.folder / "out.jsonl", "--greedy", "--dtype", "float32",
                        "--overwrite", "--max-new-tokens", new_tokens, *options)[0]


def reference(case):
    model = reference_model(case.model, torch.float32)
    without_token = list(range(case.tokenizer.get_vocab_size(), model.config.vocab_size))  # padding of the embedding
    out = model.generate(input_ids=torch.tensor([case.prompt_ids]), attention_mask=torch.ones(1, len(case.prompt_ids), dtype=int),
                         max_new_tokens=NEW_TOKENS, do_sample=False, repetition_penalty=1.0, pad_token_id=0,
                         suppress_tokens=without_token)
    return out[0, len(case.prompt_ids):].tolist()


def check_eos(case):
    """An id that the completion emits for the first time at some step is made the EOS."""
    firsts = [i for i, token in enumerate(case.ids) if token not in case.ids[:i]]
    early, late = firsts[len(firsts) // 3], firsts[-1]
    never = case.never
    settings = [(never, case.ids[late], late), (never, [never, case.ids[early]], early), (case.ids[early], "", early),
                ([never, case.ids[late]], "", late), (case.ids[early], None, early), (case.ids[early], case.ids[late], late),
                ([case.ids[late], case.ids[early]], None, early)]
    for config, generation, end in settings:
        case.set_eos(config, generation)
        record = case.complete()
        shown = f"{case.model.name}, EOS {config} and {generation}: {record}"
        check(record["completion_ids"] == case.ids[:end + 1], shown)
        # A generation_config.json without EOS ids: we take config.json's, transformers 5 then ends nowhere.
        check(reference(case) == (case.ids if generation is None else case.ids[:end + 1]), f"the reference: {shown}")
        check((record["finish_reason"], record["completion_tokens"]) == ("stop", end + 1), shown)
        check(record["completion"] == case.tokenizer.decode(case.ids[:end + 1], skip_special_tokens=True), shown)
    case.set_eos(never, None)


def check_stop_strings(case):
    text = case.tokenizer.decode(case.ids, skip_special_tokens=True)
    plain = [i for i in range(len(text) - 3) if text[i:i + 3].isascii() and text.find(text[i:i + 3]) == i]
    for begin in (plain[0], plain[len(plain) // 2], plain[-1]):
        stop = text[begin:begin + 3]
        tokens = next(n for n in range(len(case.ids) + 1) if stop in case.tokenizer.decode(case.ids[:n]))
        record = case.complete("--stop", "never seen", "--stop", stop)
        check(record["completion"] == text[:begin], f"stop {stop!r}: {record['completion']!r} is not {text[:begin]!r}")
        check(record["completion_ids"] == case.ids[:tokens] and record["finish_reason"] == "stop", f"stop {stop!r}: {record}")


def check_lengths(case):
    for limit in (1, 7, NEW_TOKENS):
        record = case.complete(new_tokens=limit)
        check((record["completion_ids"], record["finish_reason"]) == (case.ids[:limit], "length"), record)
    words = " one two three four five six seven eight nine ten" * POSITIONS
    ids = case.tokenizer.encode(words, add_special_tokens=False).ids
    specials = len(case.prompt_ids) - len(case.tokenizer.encode(PROMPT, add_special_tokens=False).ids)
    for room in (2, 1, 0):
        prompt = case.tokenizer.decode(ids[:POSITIONS - room - specials])
        check(len(case.tokenizer.encode(prompt).ids) == POSITIONS - room, "the prompt has not the length that was meant")
        if room > 0:
            record = case.complete(prompt=prompt)
            check((record["prompt_tokens"], record["completion_tokens"], record["finish_reason"])
                  == (POSITIONS - room, room, "length"), record)
            continue
        write_lines(case.folder / "full.jsonl", [{"prompt": prompt}])
        process = spd("generate", case.model, "--prompts", case.folder / "full.jsonl", "--out", case.folder / "full.out.jsonl")
        check(process.returncode == 3 and "positions" in process.stderr and process.stderr.count("\n") == 1, process)


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for model in make_tiny_checkpoints(folder / "tiny", only=("qwen2-tied", "llama-plain")):
            case = Case(model, folder)
            check_eos(case)
            check_stop_strings(case)
            check_lengths(case)
    print(f"measured: {checks} checks of how completions end, EOS ids against transformers.generate")


if __name__ == "__main__":
    main()
