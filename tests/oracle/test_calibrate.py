"""`spd calibrate` against autograd in float64 through transformers: every family, site, loss, with one basis and with one a
head, all layers. With "sample" as argument the same on the sample model, 4 examples in float32.
"""
import json
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from calibration_reference import SITES, Spectrum, TappedModel, largest_sine
from make_tiny_checkpoints import make_tiny_checkpoints
from support import SOURCE, read_lines, sample_model, spd, write_lines

WHOLE = ("qwen2-tied", "qwen3-wide-heads", "llama-llama3-tied")  # every combination; the others a few
SOME = ("qwen2-untied-gqa7", "qwen3-head128-biases", "llama-biases")
LOSSES = ("aligned", "full_sequence", "full_completion")


class Worst:
    """Largest differences so far, each as a multiple of what is allowed."""

    def __init__(self):
        self.value = self.angle = self.overlap = self.loss = self.gram = 0.0
        self.ranks = self.targets = 0

    def print(self, what):
        print(f"measured: calibrate, {what}: {self.targets} spectra, singular values at most {self.value:.2g} of the tolerance, "
              f"largest sine {self.angle:.2g} at {self.ranks} clear ranks, split-half overlap off by {self.overlap:.2g}, Gram "
              f"matrix by {self.gram:.2g}, loss by {self.loss:.2g}", flush=True)


def text_examples(tokenizer, texts):
    """Lines, and for each what the reference makes of it: ids, span tokens, first token of the completion."""
    lines, examples = [], []
    for number, (prompt, completion, span) in enumerate(texts):
        first = completion.index(span)
        lines.append({"id": f"example {number}", "prompt": prompt, "completion": completion, "spans": [[first, first + len(span)]]})
        encoding = tokenizer.encode(prompt + completion)
        begin = len(prompt) + first
        meets = [t for t, (left, right) in enumerate(encoding.offsets) if left < begin + len(span) and right > begin]
        start = next(t for t, (left, right) in enumerate(encoding.offsets) if right > len(prompt))
        examples.append({"id": f"example {number}", "ids": encoding.ids, "aligned": meets,
                         "full_sequence": list(range(1, len(encoding.ids))),
                         "full_completion": list(range(max(1, start), len(encoding.ids)))})
    return lines, examples


def reference(model, examples, loss):
    """Losses, and for every (layer, stream, site) the rows of the even and of the odd examples."""
    losses, halves = [], ({}, {})
    for number, example in enumerate(examples):
        value, gradients = model.gradients(example["ids"], example[loss])
        losses.append(value)
        for key, rows in gradients.items():
            halves[number % 2].setdefault(key, []).append(rows)
    return losses, [{key: torch.cat(rows) for key, rows in half.items()} for half in halves]


def calibrate(folder, examples, out, *options):
    process = spd("calibrate", folder, "--examples", examples, "--out", out, "--layers", "all", *options)
    if process.returncode != 0:
        sys.exit(f"spd calibrate {folder} {options} failed with {process.returncode}: {process.stderr}")
    return load_file(out / "subspace.safetensors"), json.loads((out / "subspace.json").read_text())


def check_spectrum(name, ours, record, theirs, worst):
    """One basis: tensors [w], [w, w], [w, w] and its numbers in subspace.json."""
    values, vectors, gram = ours
    width = len(values)
    assert values.dtype == vectors.dtype == gram.dtype == torch.float64
    allowed = 1e-4 * (theirs.values + 0.02 * theirs.values[0])
    worst.value = max(worst.value, ((values - theirs.values).abs() / allowed).max().item())
    assert (values[:-1] >= values[1:]).all() and (values >= 0).all(), name
    assert (vectors @ vectors.T - torch.eye(width)).abs().max() < 1e-10, name
    assert (vectors.max(1).values >= -vectors.min(1).values).all(), f"{name}: sign"
    for r in theirs.clear_ranks():
        worst.angle = max(worst.angle, largest_sine(vectors, theirs.vectors, r))
        worst.ranks += 1
    worst.gram = max(worst.gram, ((gram - theirs.gram).abs().max() / theirs.values[0] ** 2).item())
    count = int((theirs.values >= 1e-6 * theirs.values[0]).sum())
    at_border = ((theirs.values / theirs.values[0]).log10() + 6).abs().min() < 0.5
    assert at_border or record["numeric_rank"] == count, (name, record["numeric_rank"], count)
    assert abs(record["effective_rank"] / theirs.effective_rank - 1) < 1e-3, (name, record["effective_rank"])
    assert abs(record["stable_rank"] / theirs.stable_rank - 1) < 1e-3, (name, record["stable_rank"])
    assert len(record["split_half_overlap"]) == width
    assert abs(record["split_half_overlap"][-1] - 1) < 1e-9
    for r in set(theirs.clear_ranks(theirs.halves[0][0])) & set(theirs.clear_ranks(theirs.halves[1][0])):
        worst.overlap = max(worst.overlap, abs(record["split_half_overlap"][r - 1] - theirs.overlap(r)))
    worst.targets += 1


def check(folder, lines, examples, model, combinations, temporary, worst):
    config = model.model.config
    heads = config.num_key_value_heads
    references, spectra = {}, {}

    def spectrum(halves, key, loss, columns):
        name = (key, loss, columns.start, columns.stop)
        if name not in spectra:
            spectra[name] = Spectrum(*(half[key][:, columns] for half in halves))
        return spectra[name]
    write_lines(temporary / "examples.jsonl", lines)
    for number, (site, per_head, loss) in enumerate(combinations):
        if loss not in references:
            references[loss] = reference(model, examples, loss)
        losses, halves = references[loss]
        tensors, record = calibrate(folder, temporary / "examples.jsonl", temporary / f"{folder.name}-{number}", "--site", site,
                                    "--loss", loss, "--threads", torch.get_num_threads(), *(["--per-head"] if per_head else []))
        expected = {"format_version": 1, "site": site, "per_head": per_head, "loss": loss, "dtype": "float32",
                    "layers": list(range(config.num_hidden_layers))}
        assert expected.items() <= record.items(), record
        assert [(e["id"], e["targets"], e["tokens"]) for e in record["examples"]] == \
            [(e["id"], len(e[loss]), len(e["ids"])) for e in examples], record["examples"]
        worst.loss = max([worst.loss, *(abs(e["loss"] - value) for e, value in zip(record["examples"], losses))])
        assert len(tensors) == 6 * config.num_hidden_layers
        for layer in range(config.num_hidden_layers):
            for stream in "kv":
                key = (layer, stream, site if stream == "k" else "proj")
                target = record["targets"][f"{layer}.{stream}"]
                rows = torch.cat([half[key] for half in halves])
                assert target["rows"] == len(rows) == sum(len(e["ids"]) for e in examples)
                assert target["nonzero_rows"] == int(rows.ne(0).any(1).sum()), (folder.name, key, target["nonzero_rows"])
                parts = [tensors[f"layers.{layer}.{stream}.{part}"]
                         for part in ("singular_values", "right_singular_vectors", "gram")]
                name = f"{folder.name} {key} {loss}"
                width = rows.shape[1]
                if not per_head:
                    check_spectrum(name, parts, target, spectrum(halves, key, loss, slice(0, width)), worst)
                    continue
                for head in range(heads):
                    of_head = {field: target[field][head] for field in ("numeric_rank", "effective_rank", "stable_rank",
                                                                        "split_half_overlap")}
                    columns = slice(head * width // heads, (head + 1) * width // heads)
                    check_spectrum(f"{name} head {head}", [part[head] for part in parts], of_head,
                                   spectrum(halves, key, loss, columns), worst)


def passed(worst):
    return worst.value <= 1 and worst.angle <= 1e-3 and worst.overlap <= 1e-3 and worst.loss <= 1e-4 and worst.gram <= 1e-5 \
        and worst.ranks > 0


def gsm8k_texts(count):
    rows = read_lines(SOURCE / "resources/datasets/gsm8k/train.jsonl")[:count]
    return [(f"Question: {row['question']}\nAnswer:", " " + row["answer"], row["answer"].split("#### ")[1]) for row in rows]


def check_tiny(temporary):
    texts = [(prompt[:60 + 13 * n], completion[-70:], span) for n, (prompt, completion, span) in enumerate(gsm8k_texts(5))]
    ok = True
    for folder in make_tiny_checkpoints(temporary / "tiny", WHOLE + SOME):
        model = TappedModel(folder)
        lines, examples = text_examples(Tokenizer.from_file(str(folder / "tokenizer.json")), texts)
        sites = [site for site in SITES if site != "post_norm" or folder.name.startswith("qwen3")]
        combinations = [(site, per_head, loss) for site in sites for per_head in (False, True) for loss in LOSSES]
        if folder.name in SOME:
            combinations = [("proj", False, "aligned"), (sites[-1], True, "full_sequence")]
        worst = Worst()
        check(folder, lines, examples, model, combinations, temporary, worst)
        worst.print(f"{folder.name}, {len(combinations)} variants, {len(examples)} examples")
        ok &= passed(worst)
    return ok


def check_sample(temporary):
    folder = sample_model()
    lines, examples = text_examples(Tokenizer.from_file(str(folder / "tokenizer.json")), gsm8k_texts(4))
    worst = Worst()
    check(folder, lines, examples, TappedModel(folder),
          [("proj", False, "aligned"), ("post_rope", True, "full_completion")], temporary, worst)
    worst.print(f"sample model, all layers, {len(examples)} examples")
    return passed(worst)


def main():
    torch.set_num_threads(1 if sys.argv[1:] != ["sample"] else 2)  # two threads only get into each other's way on small matrices
    with tempfile.TemporaryDirectory() as temporary:
        ok = (check_sample if sys.argv[1:] == ["sample"] else check_tiny)(Path(temporary))
    if not ok:
        sys.exit("spd calibrate and float64 autograd differ")


if __name__ == "__main__":
    main()
