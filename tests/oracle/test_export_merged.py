"""`spd export merged` against peft and transformers: logits, every weight's bits, tied heads, shards, what rounding keeps; and
exports that are killed or run out of disk.
"""
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from transformers.utils import logging

from adapters import ATTENTION, logits, make_adapter
from make_tiny_checkpoints import make_tiny_checkpoints
from support import SPD, reference_model, spd
from test_forward import TOLERANCE, random_ids, relative_difference

VARIANTS = ("qwen2-tied", "qwen3-wide-heads", "llama-llama3-tied", "llama-biases")
KILLS = 12


def export(adapter, base, out, *options):
    process = spd("export", "merged", "--adapter", adapter, "--base", base, "--out", out, "--json", *options)
    if process.returncode != 0:
        sys.exit(f"spd export merged {adapter} failed with {process.returncode}: {process.stderr}")
    return json.loads(process.stdout), process.stderr


def weights(folder):
    return {name: tensor for file in folder.glob("*.safetensors") for name, tensor in load_file(file).items()}


def changes(adapter, scale):
    """dW of each merged weight, float64."""
    tensors = load_file(adapter / "adapter_model.safetensors")
    found = {}
    for name, a in tensors.items():
        if ".lora_A." in name:
            b = tensors[name.replace(".lora_A.", ".lora_B.")]
            found[name.removeprefix("base_model.model.").replace(".lora_A.", ".")] = scale * b.double() @ a.double()
    return found


def check_weights(base, out, adapter, dtype):
    """Merged ones are W + dW rounded once, others the same bits; a tied head is not written."""
    before, after, change = weights(base), weights(out), changes(adapter, 2.0)
    assert sorted(before) == sorted(after), sorted(set(before) ^ set(after))
    for name, weight in before.items():
        stored = dtype or weight.dtype
        exact = weight.double() + change[name] if name in change else weight.double()
        expected = exact.to(stored)
        assert after[name].dtype == stored, name
        if name not in change:
            assert torch.equal(after[name], expected), name
            continue
        # Sums in another order may end on the other side of a tie, and torch rounds float64 to bfloat16 by way of float32:
        # ours must be as near to the exact value as theirs.
        ours, theirs = (after[name].double() - exact).abs(), (expected.double() - exact).abs()
        assert (ours <= theirs + 1e-12 * exact.abs()).all(), name
    config = json.loads((out / "config.json").read_text())
    if json.loads((base / "config.json").read_text()).get("tie_word_embeddings"):
        assert "lm_head.weight" not in after and config["tie_word_embeddings"]
    if dtype is None:
        assert (out / "config.json").read_bytes() == (base / "config.json").read_bytes()
    else:
        assert (config.get("dtype") or config["torch_dtype"]) == str(dtype).removeprefix("torch.")
    for file in base.iterdir():
        if not file.name.startswith(("model", "config")):
            assert (out / file.name).read_bytes() == file.read_bytes(), file.name
    return sum(name in change for name in after)


def rounded_once(exact, dtype):
    """The nearest number of `dtype`: torch goes from float64 by way of float32, which rounds twice."""
    near = exact.to(dtype)
    inf = torch.full_like(near, torch.inf)
    candidates = torch.stack([near, torch.nextafter(near, inf), torch.nextafter(near, -inf)]).double()
    best = (candidates - exact).abs().argmin(0, keepdim=True)
    return candidates.gather(0, best)[0]


def reference_rounding(base, adapter, dtype):
    """kept and error of each linear, as core/export/merged_weights.h defines them."""
    before, sums = weights(base), {}
    for name, change in changes(adapter, 2.0).items():
        weight = before[name].double()
        kept = rounded_once(weight + change, dtype) - weight.to(dtype).double()
        linear = name.split(".")[-2]
        total = sums.setdefault(linear, [0.0, 0.0, 0.0])
        for i, value in enumerate(((change ** 2).sum(), (kept * change).sum(), ((kept - change) ** 2).sum())):
            total[i] += value.item()
    return {linear: (along / size, (error / size) ** 0.5) for linear, (size, along, error) in sums.items()}


def scaled(adapter, out, factor):
    """The adapter with lora_B times `factor`."""
    from safetensors.torch import save_file
    out.mkdir()
    (out / "adapter_config.json").write_bytes((adapter / "adapter_config.json").read_bytes())
    tensors = load_file(adapter / "adapter_model.safetensors")
    save_file({n: t * factor if ".lora_B." in n else t for n, t in tensors.items()}, out / "adapter_model.safetensors",
              {"format": "pt"})
    return out


def check_logits(variants, temporary):
    worst = merged = 0
    for number, base in enumerate(variants):
        adapter, out = temporary / f"adapter {number}", temporary / f"merged {number}"
        model = make_adapter(base, adapter, number)
        sequences = random_ids(600, (1, 30), number)
        expected = logits(model, sequences)
        summary, said = export(adapter, base, out, "--dtype", "float32")
        assert summary["rounding"] == {} and said == "" and summary["logit_difference"] <= TOLERANCE, (summary, said)
        merged += check_weights(base, out, adapter, torch.float32)
        found = logits(reference_model(out, torch.float32), sequences)
        worst = max([worst, *map(relative_difference, found, expected)])
        process = spd("forward", out, "--ids", "/dev/null", "--out", temporary / "x")
        assert process.returncode != 0  # a folder that opens, and ids that do not
        export(adapter, base, out, "--overwrite")  # in the types that the base is stored in
        check_weights(base, out, adapter, None)
        assert "base_model: " in (out / "README.md").read_text() and json.loads((out / "spd_provenance.json").read_text())
    print(f"measured: {len(variants)} merged models, float32: largest difference of transformers' logits to peft's {worst:.2g} of "
          f"the largest logit; {merged} merged weights equal to W + dW rounded once, the others bit by bit")
    assert worst <= TOLERANCE


def check_rounding(base, adapter, temporary):
    """What rounding to 16 bits keeps, said and warned about, from adapters that vanish to ones that stay."""
    worst = 0.0
    for dtype in ("bfloat16", "float16"):
        for factor in (1e-4, 1e-2, 0.1, 1.0, 30.0):
            small = scaled(adapter, temporary / f"scaled {dtype} {factor}", factor)
            summary, said = export(small, base, temporary / "rounded", "--dtype", dtype, "--overwrite")
            expected = reference_rounding(base, small, getattr(torch, dtype))
            assert sorted(summary["rounding"]) == sorted(ATTENTION) == sorted(expected)
            for linear, (kept, error) in expected.items():
                mine = summary["rounding"][linear]
                worst = max(worst, abs(mine["kept"] - kept), abs(mine["error"] - error) / (1 + error))
            lost = [linear for linear, (_, error) in expected.items() if error > 0.1]
            assert all(linear in said for linear in lost) and ("--dtype float32" in said) == bool(lost), (said, expected)
            if factor == 1e-4 and dtype == "bfloat16":
                # Weights that are no bfloat16 numbers flip by chance: the direction stays on average, under noise of its size.
                assert min(error for _, error in expected.values()) > 0.9, expected
    print(f"measured: what rounding keeps of an adapter, 10 adapters: largest difference to the reference {worst:.2g}")
    assert worst <= 1e-6


def check_vanishing(base, adapter, temporary):
    """Weights that are bfloat16 numbers swallow a small adapter whole; float32 keeps it."""
    small = scaled(adapter, temporary / "vanishing", 1e-4)
    summary, said = export(small, base, temporary / "vanished", "--overwrite")
    expected = reference_rounding(base, small, torch.bfloat16)
    worst = max(abs(summary["rounding"][linear]["kept"] - kept) for linear, (kept, _) in expected.items())
    kept = max(kept for kept, _ in expected.values())
    assert worst <= 1e-6 and kept < 0.1 and all(linear in said for linear in ATTENTION), (summary, expected, said)
    summary, said = export(small, base, temporary / "vanished", "--dtype", "float32", "--overwrite")
    assert summary["rounding"] == {} and said == ""
    print(f"measured: of a small adapter on a bfloat16 model {100 * kept:.2g} % are kept in bfloat16, which is said")


def check_shards(base, adapter, temporary):
    whole, shards = temporary / "whole", temporary / "shards"
    export(adapter, base, whole)
    driver = SPD.parent / "merge_driver"
    process = subprocess.run([driver, adapter, base, shards, "100000"], capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
    files = sorted(shards.glob("*.safetensors"))
    count = int(process.stdout)
    assert count > 2 and [f.name for f in files] == [f"model-{i:05}-of-{count:05}.safetensors" for i in range(1, count + 1)]
    index = json.loads((shards / "model.safetensors.index.json").read_text())
    one, several = weights(whole), weights(shards)
    assert all(torch.equal(one[name], several[name]) for name in one) and sorted(one) == sorted(several)
    assert sorted(index["weight_map"]) == sorted(one)
    assert index["metadata"]["total_size"] == sum(t.numel() * t.element_size() for t in one.values())
    for file in files:
        with safe_open(file, "pt") as opened:
            assert all(index["weight_map"][name] == file.name for name in opened.keys())
    sequences = random_ids(600, (20,), 1)
    assert torch.equal(*(logits(reference_model(folder, torch.float32), sequences)[0] for folder in (whole, shards)))
    print(f"measured: a model merged into {count} files loads as the one in a single file, bit by bit")


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()} if folder.is_dir() else None


def check_kills(base, adapter, other, temporary):
    """Killed at random moments, the folder is the old one or the whole new one, and the next export leaves nothing else."""
    place = temporary / "killed"
    place.mkdir()
    out = place / "out"
    command = [SPD, "export", "merged", "--base", base, "--out", out, "--overwrite", "--adapter"]
    states = []
    seconds = 0.0
    for made_of in (adapter, other):
        start = time.monotonic()
        subprocess.run([*command, made_of], check=True, capture_output=True)
        seconds = max(seconds, time.monotonic() - start)
        states.append(contents(out))
    assert states[0] != states[1]
    generator = random.Random(3)
    killed = replaced = 0
    for number in range(KILLS):
        before = contents(out)
        process = subprocess.Popen([*command, (adapter, other)[number % 2]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(generator.uniform(0.2, 1.1) * seconds)
        process.kill()
        killed += process.wait() == -9
        after = contents(out)
        assert after in (before, states[number % 2]), f"kill {number} left another folder"
        replaced += after != before
    subprocess.run([*command, adapter], check=True, capture_output=True)
    assert contents(out) == states[0] and [path.name for path in place.iterdir()] == ["out"], list(place.iterdir())
    print(f"measured: {killed} exports killed at random moments, the folder whole each time ({replaced} were done before); nothing "
          "left behind")


def check_full_disk(base, adapter, temporary):
    """A limit of the kernel on the size of files stands for a full disk."""
    place = temporary / "full"
    place.mkdir()
    out = place / "out"
    biggest = (base / "model.safetensors").stat().st_size
    failures = 0
    for limit in (100, 5_000, biggest // 3, biggest - 100):
        process = subprocess.run([SPD, "export", "merged", "--adapter", adapter, "--base", base, "--out", out],
                                 capture_output=True, text=True,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        assert process.returncode == 1 and process.stderr.count("\n") == 1 and "cannot write" in process.stderr, process
        assert list(place.iterdir()) == []
        failures += 1
    print(f"measured: {failures} exports without room for their files, each ended with one line and left nothing")


def check_refusals(base, other, adapter, temporary):
    def refused(code, naming, *arguments):
        process = spd("export", "merged", *arguments)
        assert (process.returncode, process.stdout) == (code, ""), process
        assert process.stderr.count("\n") == 1 and naming in process.stderr, process.stderr
    out = temporary / "refused"
    refused(3, "this model", "--adapter", adapter, "--base", other, "--out", out)
    refused(2, "would replace", "--adapter", adapter, "--base", base, "--out", base, "--overwrite")
    refused(2, "would replace", "--adapter", adapter, "--base", base, "--out", adapter, "--overwrite")
    refused(2, "--overwrite", "--adapter", adapter, "--base", base, "--out", other)
    refused(2, "nowhere", "--adapter", temporary / "nowhere", "--base", base, "--out", out)
    assert not out.exists()


def main():
    logging.disable_progress_bar()
    torch.set_num_threads(1)  # the models are tiny
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        variants = make_tiny_checkpoints(temporary / "tiny", VARIANTS)
        check_logits(variants, temporary)
        adapter = temporary / "adapter 0"
        other = scaled(adapter, temporary / "other", 0.5)
        check_rounding(variants[0], adapter, temporary)
        check_vanishing(variants[1], temporary / "adapter 1", temporary)
        check_shards(variants[0], adapter, temporary)
        check_kills(variants[0], adapter, other, temporary)
        check_full_disk(variants[0], adapter, temporary)
        check_refusals(variants[0], variants[1], adapter, temporary)


if __name__ == "__main__":
    main()
