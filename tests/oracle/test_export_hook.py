"""The Python file of `spd export hook`, run in transformers: the logits of `spd forward` and the completions of `spd generate`
with the same options; what the maps are; files whole at every moment.
"""
import contextlib
import importlib.util
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers.utils import logging

from adapters import make_adapter
from make_tiny_checkpoints import make_tiny_checkpoints
from projections import Subspace
from support import SPD, generate, spd, write_lines
from test_forward import TOLERANCE, random_ids, relative_difference
from test_generate import cut_at_eos

PROMPT = 6
# name: checkpoint, subspace, options, with an adapter
CASES = {
    "folded": ("qwen2-tied", {}, [], False),
    "random control with an adapter": ("llama-biases", {}, ["--control", "random:7", "--rank", "4", "--strength", "0.8"], True),
    "post_norm, per head": ("qwen3-wide-heads", {"site": "post_norm", "per_head": True}, ["--project", "k"], False),
    "post_rope, decode_only, with an adapter": ("llama-llama3-5", {"site": "post_rope"}, ["--when", "decode_only"], True),
    "prefill_only": ("qwen3-wide-heads", {}, ["--when", "prefill_only", "--control", "complement"], False),
}


def export(out, *options):
    process = spd("export", "hook", "--out", out, *options)
    if process.returncode != 0:
        sys.exit(f"spd export hook {options} failed with {process.returncode}: {process.stderr}")


def imported(path):
    spec = importlib.util.spec_from_file_location(f"hook_{path.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@torch.no_grad()
def hooked(model, hook, sequences, prompt_length):
    with hook.project(model, prompt_length) if hook else contextlib.nullcontext():
        return [model(torch.tensor([ids])).logits[0].float() for ids in sequences]


@torch.no_grad()
def completions(model, hook, prompts, new_tokens, eos_ids, without_token):
    with hook.project(model):
        return [cut_at_eos(model.generate(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)),
                                          max_new_tokens=new_tokens, do_sample=False, repetition_penalty=1.0, pad_token_id=0,
                                          suppress_tokens=without_token)[0, len(ids):].tolist(), eos_ids) for ids in prompts]


def check(name, base, settings, options, with_adapter, temporary):
    """Largest relative difference of the logits; completions are compared token for token."""
    adapter = temporary / f"{name} adapter"
    model = make_adapter(base, adapter, 2)
    model = model if with_adapter else model.unload()
    subspace = Subspace(model.config, range(model.config.num_hidden_layers), **settings)
    select = ["--subspace", subspace.write(temporary / f"{name} subspace", base), *options]
    out = temporary / f"{name} hook.py"
    export(out, *select)
    hook = imported(out)
    select += ["--adapter", adapter] if with_adapter else []

    sequences = random_ids(600, (8, 25), 4)
    write_lines(temporary / "ids.jsonl", [{"ids": ids, "prompt_length": PROMPT} for ids in sequences])
    process = spd("forward", base, "--ids", temporary / "ids.jsonl", "--out", temporary / "out", "--overwrite", *select)
    assert process.returncode == 0, process.stderr
    mine = [load_file(temporary / "out")[f"logits.{n}"] for n in range(len(sequences))]
    plain = hooked(model, None, sequences, PROMPT)
    theirs = hooked(model, hook, sequences, PROMPT)
    assert max(map(relative_difference, theirs, plain)) > 0.003, f"{name} changes nothing and proves nothing"
    assert all(map(torch.equal, hooked(model, None, sequences, PROMPT), plain)), "the hook stayed"

    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    texts = ["the cat sat on", "rain and the long way home"]
    write_lines(temporary / "prompts.jsonl", [{"id": i, "prompt": text} for i, text in enumerate(texts)])
    records = generate(base, temporary / "prompts.jsonl", temporary / "out.jsonl", "--greedy", "--dtype", "float32",
                       "--max-new-tokens", 16, "--overwrite", *select)
    eos = model.generation_config.eos_token_id
    expected = completions(model, hook, [tokenizer.encode(text).ids for text in texts], 16,
                           set(eos if isinstance(eos, list) else [eos]),
                           list(range(tokenizer.get_vocab_size(), model.config.vocab_size)))
    assert [r["completion_ids"] for r in records] == expected, (name, records, expected)
    return max(map(relative_difference, mine, theirs))


def maps_of(out):
    return {name: m.double() for name, m in load_file(imported(out).MATRICES).items()}


def check_maps(base, temporary):
    """Projection + complement = identity; a random control is a projection of the same rank onto other directions."""
    from transformers import AutoConfig
    subspace = Subspace(AutoConfig.from_pretrained(base), [0, 2])
    select = ["--subspace", subspace.write(temporary / "maps", base), "--rank", "5"]
    maps = {}
    for control in ("none", "complement", "random:1", "random:2"):
        export(temporary / "maps.py", *select, "--control", control, "--overwrite")
        maps[control] = maps_of(temporary / "maps.py")
    expected = subspace.maps(rank=5)
    worst = 0.0
    for target, plain in maps["none"].items():
        layer, stream = target.split(".")
        worst = max(worst, (plain - expected[int(layer), stream]).abs().max().item(),
                    (plain + maps["complement"][target] - torch.eye(len(plain))).abs().max().item())
        for control in ("random:1", "random:2"):
            drawn = maps[control][target]
            worst = max(worst, (drawn @ drawn - drawn).abs().max().item(), abs(drawn.trace().item() - 5) / 5)
            assert (drawn - plain).norm() > 0.5 and (maps["random:1"][target] - maps["random:2"][target]).norm() > 0.5
    print(f"measured: exported maps against their definition, complements against identity, random controls against projections: "
          f"largest difference {worst:.2g}")
    assert worst <= 1e-6 and sorted(maps["none"]) == ["0.k", "0.v", "2.k", "2.v"]
    return select


def files_of(out):
    return sorted(path.name for path in out.parent.iterdir())


def check_files(select, temporary):
    place = temporary / "files"
    place.mkdir()
    out = place / "hook.py"
    export(out, *select)
    first = files_of(out)
    assert len(first) == 2 and imported(out).MATRICES.name in first
    refused = spd("export", "hook", "--out", out, *select)
    assert refused.returncode == 2 and "--overwrite" in refused.stderr and files_of(out) == first
    export(out, *select, "--strength", "0.5", "--overwrite")
    assert len(files_of(out)) == 2 and files_of(out) != first, "the maps of the earlier export stayed"
    seconds = time.monotonic()
    export(out, *select, "--overwrite")
    seconds = time.monotonic() - seconds
    assert files_of(out) == first
    generator = random.Random(1)
    for number in range(6):
        process = subprocess.Popen([SPD, "export", "hook", "--out", out, "--overwrite", *map(str, select), "--strength",
                                    str(number + 2)], stdout=subprocess.DEVNULL)
        time.sleep(generator.uniform(0.5, 1.05) * seconds)
        process.kill()
        process.wait()
        assert len(imported(out).load_maps()) == 4  # the file and the maps that it names are whole
    matrices = imported(out).MATRICES
    save_file({"0.k": torch.zeros(2, 2)}, matrices)
    try:
        imported(out).load_maps()
        sys.exit("maps that were changed are loaded")
    except ValueError as error:
        assert matrices.name in str(error)
    (place / "theirs.py").write_text("print('mine')\n")
    not_ours = place / "hook-0123456789ab.safetensors"
    not_ours.write_text("precious")
    export(out, *select, "--overwrite")
    assert not_ours.read_text() == "precious", "a file that no hook names was removed"
    bare = spd("export", "hook", "--out", "bare.py", *select, cwd=place)
    assert bare.returncode == 0 and len(imported(place / "bare.py").load_maps()) == 4, bare.stderr
    for options in (["--out", place / "theirs.py", "--overwrite"], ["--out", place / "hook.txt"], ["--out", place / "a'b.py"]):
        process = spd("export", "hook", *select, *options)
        assert process.returncode == 2 and process.stderr.count("\n") == 1, process
    assert (place / "theirs.py").read_text() == "print('mine')\n"
    print("measured: 6 exports of a hook killed at random moments, the file and its maps whole each time")


def main():
    logging.disable_progress_bar()
    torch.set_num_threads(1)  # the models are tiny
    worst = 0.0
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        made = {folder.name: folder for folder in make_tiny_checkpoints(temporary / "tiny", {case[0] for case in CASES.values()})}
        for name, (variant, *case) in CASES.items():
            worst = max(worst, check(name, made[variant], *case, temporary))
        print(f"measured: {len(CASES)} exported hooks in transformers against spd forward, float32: largest difference {worst:.2g} "
              "of the largest logit; greedy completions equal to spd generate")
        assert worst <= TOLERANCE
        check_files(check_maps(made["qwen2-tied"], temporary), temporary)


if __name__ == "__main__":
    main()
