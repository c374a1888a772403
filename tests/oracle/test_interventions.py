"""`spd forward` with projections and adapters against transformers with hooks (and peft's model below them): tiny checkpoints
of every family variant, float32; and what must change nothing, or be the same another way.
"""
import contextlib
import json
import sys
import tempfile
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import AutoConfig
from transformers.utils import logging

from adapters import make_adapter
from make_tiny_checkpoints import make_tiny_checkpoints
from projections import Subspace, hooked_logits, last_mid
from support import spd, write_lines
from test_forward import TOLERANCE, random_ids, relative_difference

PROMPTS = (5, 0, 21)  # prompt lengths of the sequences
LENGTHS = (9, 14, 21)
IDENTITIES = (0, 1, 3)  # numbers of a variant of each family


def energy_rank(share):
    return lambda values: int((torch.cumsum(values ** 2, 0) < share * (values ** 2).sum()).sum()) + 1


def cases(config, folder):
    """name: subspace, options, what the reference is given, site, when."""
    every = range(config.num_hidden_layers)
    some = [0, config.num_hidden_layers - 1]
    joint = ("joint", {"layers": every})
    ranks = folder / "ranks.json"
    ranks.write_text(json.dumps({f"{layer}.{s}": 2 + layer for layer in every for s in "kv"}))
    found = {
        "default": (joint, [], {"layers": last_mid(config)}),
        "all layers, rank 3, K, half strength": (
            joint, ["--project-layers", "all", "--rank", "3", "--project", "k", "--strength", "0.5"],
            {"rank": 3, "streams": "k", "strength": 0.5}),
        "complement, V, strength 1.7, activation": (
            joint, ["--project-layers", "0", "--control", "complement", "--project", "v", "--strength", "1.7", "--apply",
                    "activation"], {"layers": [0], "streams": "v", "strength": 1.7, "complement": True}),
        "energy:0.9": (joint, ["--project-layers", "0,1", "--rank-rule", "energy:0.9"],
                       {"layers": [0, 1], "rank": energy_rank(0.9)}),
        "two layers measured, half_numeric": (("deficient", {"layers": some, "rank": 9}), ["--rank-rule", "half_numeric"],
                                              {"rank": 4}),
        "ranks of a file": (("some", {"layers": [1]}), ["--rank-rule", f"file:{ranks}"], {"rank": 3}),
        "per head": (("heads", {"layers": every, "per_head": True}), ["--project-layers", "all"], {}),
        "post_rope": (("rope", {"layers": every, "site": "post_rope"}), ["--rank", "5"], {"layers": last_mid(config), "rank": 5}),
        "decode_only": (joint, ["--when", "decode_only"], {"layers": last_mid(config)}),
        "prefill_only, activation": (joint, ["--when", "prefill_only", "--apply", "activation"], {"layers": last_mid(config)}),
        "decode_only, post_rope, per head": (("rope heads", {"layers": some, "site": "post_rope", "per_head": True}),
                                             ["--when", "decode_only"], {}),
    }
    if config.model_type == "qwen3":
        found["post_norm"] = (("norm", {"layers": every, "site": "post_norm"}), ["--project-layers", "all"], {})
        found["post_norm, per head, prefill_only"] = (("norm heads", {"layers": some, "site": "post_norm", "per_head": True}),
                                                      ["--when", "prefill_only"], {})
    return found


class Variant:
    """A checkpoint with the model of transformers, an adapter below its hooks, and subspaces made when they are asked for."""

    def __init__(self, folder, temporary, seed):
        self.folder, self.temporary = folder, temporary
        self.config = AutoConfig.from_pretrained(folder)
        self.adapter = temporary / f"{folder.name} adapter"
        self.model = make_adapter(folder, self.adapter, seed)
        self.sequences = random_ids(600, LENGTHS, seed)
        self.subspaces = {}

    def subspace(self, name, settings):
        if name not in self.subspaces:
            made = Subspace(self.config, seed=len(self.subspaces), **settings)
            self.subspaces[name] = (made, made.write(self.temporary / f"{self.folder.name} {name}", self.folder))
        return self.subspaces[name]

    def ours(self, *options, rows=None):
        write_lines(self.temporary / "ids.jsonl", rows or [{"ids": ids} for ids in self.sequences])
        out = self.temporary / "out.safetensors"
        process = spd("forward", self.folder, "--ids", self.temporary / "ids.jsonl", "--out", out, "--overwrite", *options)
        if process.returncode != 0:
            sys.exit(f"spd forward {self.folder} {options} failed with {process.returncode}: {process.stderr}")
        self.stdout, self.stderr = process.stdout, process.stderr
        logits = load_file(out)
        return [logits[f"logits.{n}"] for n in range(len(self.sequences))]

    def theirs(self, maps, site, when, with_adapter):
        lengths = PROMPTS if when != "all" else [None] * len(self.sequences)
        with contextlib.nullcontext() if with_adapter else self.model.disable_adapter():
            return [hooked_logits(self.model, ids, maps, site, when, length) for ids, length in zip(self.sequences, lengths)]


def check_case(variant, name, case, with_adapter, base):
    (kind, settings), options, given = case
    subspace, folder = variant.subspace(kind, settings)
    options = ["--subspace", folder, *options] + (["--adapter", variant.adapter] if with_adapter else [])
    when = options[options.index("--when") + 1] if "--when" in options else "all"
    rows = [{"ids": ids, "prompt_length": length} for ids, length in zip(variant.sequences, PROMPTS)]
    mine = variant.ours(*options, rows=rows if when != "all" else None)
    theirs = variant.theirs(subspace.maps(**given), subspace.site, when, with_adapter)
    worst = max(map(relative_difference, mine, theirs))
    assert max(map(relative_difference, theirs, base[with_adapter])) > 0.003, f"{name} changes nothing and proves nothing"
    assert "  with projection " in variant.stdout and ("adapter r 8" in variant.stdout) == with_adapter, variant.stdout
    if not worst <= TOLERANCE:
        sys.exit(f"{variant.folder.name}, {name}, adapter {with_adapter}: spd forward and hooks differ by {worst:.2g}")
    return worst


def check_identities(variant, base):
    """Rank d, strength 0: the base model (with the adapter: the adapter). Folded and activation: the same. A process of spd takes
    longer than what it computes here, so each is seen with or without the adapter.
    """
    subspace, folder = variant.subspace("joint", {"layers": range(variant.config.num_hidden_layers)})
    select = ["--subspace", folder, "--project-layers", "all"]
    adapter = ["--adapter", variant.adapter]
    bare, adapted = variant.ours(), variant.ours(*adapter)
    for plain, reference in zip((bare, adapted), base):
        assert max(map(relative_difference, plain, reference)) <= TOLERANCE
    for plain, options in ((bare, ["--apply", "activation"]), (adapted, ["--apply", "folded", *adapter])):
        mine = variant.ours(*select, "--strength", "0", *options)
        assert all(map(torch.equal, mine, plain)), f"{variant.folder.name}: strength 0 changes something ({options})"
    whole = max(map(relative_difference, variant.ours(*select, *adapter, "--rank", str(subspace.width)), adapted))
    both = [variant.ours(*select, *adapter, "--rank", "4", "--apply", apply) for apply in ("folded", "activation")]
    folded = max(map(relative_difference, *both))
    assert relative_difference(both[0][0], adapted[0]) > 0.003
    assert whole <= 1e-5 and folded <= 1e-5, (variant.folder.name, whole, folded)
    return whole, folded


def check_record(variant):
    """What was applied is in the file, and the same for the same intervention only."""
    _, folder = variant.subspace("joint", {"layers": range(variant.config.num_hidden_layers)})

    def record(*options):
        variant.ours(*options)
        with safe_open(variant.temporary / "out.safetensors", "pt") as file:
            return file.metadata().get("intervention")
    assert record() is None
    first = record("--subspace", folder, "--adapter", variant.adapter)
    assert first == record("--adapter", variant.adapter, "--project", "both", "--subspace", folder)
    assert first != record("--subspace", folder, "--adapter", variant.adapter, "--rank", "3")
    projection = json.loads(first)["projection"]
    assert projection["rank_rule"] == "half_dim" and projection["layers"] == last_mid(variant.config), projection
    assert json.loads(first)["adapter"]["r"] == 8


def main():
    logging.disable_progress_bar()
    torch.set_num_threads(1)  # the models are tiny, and spd runs in turns with this process
    worst = worst_adapter = whole = folded = 0.0
    count = 0
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        for number, folder in enumerate(make_tiny_checkpoints(temporary / "tiny")):
            variant = Variant(folder, temporary, number)
            base = [variant.theirs({}, "proj", "all", with_adapter) for with_adapter in (False, True)]
            for i, (name, case) in enumerate(cases(variant.config, temporary).items()):
                if i != 0 and "post_norm" not in name and (i + number) % 3 != 0:
                    continue  # the default everywhere, the others on every third variant
                with_adapter = i % 2 == number % 2
                difference = check_case(variant, name, case, with_adapter, base)
                worst, worst_adapter = max(worst, difference), max(worst_adapter, difference if with_adapter else 0.0)
                count += 1
            if number in IDENTITIES:
                whole, folded = map(max, (whole, folded), check_identities(variant, base))
            if number == 0:
                check_record(variant)
    print(f"measured: {count} projections against hooks on transformers, float32: largest difference {worst:.2g} of the largest "
          f"logit, with an adapter below them {worst_adapter:.2g}")
    print(f"measured: rank d against no projection {whole:.2g}, folded against activation {folded:.2g} of the largest logit; "
          "strength 0 equal to the bit")


if __name__ == "__main__":
    main()
