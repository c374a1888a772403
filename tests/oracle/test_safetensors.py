"""Our safetensors reader and writer against the `safetensors` library: files of every dtype both ways, and damaged
files, of which we must never accept one that the library refuses."""

import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

DRIVER = pathlib.Path(os.environ["SPD_BIN"]) / "safetensors_driver"
DTYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2,
          torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64,
          torch.bool]
SHAPES = [(), (0,), (1,), (7,), (3, 5), (2, 0, 4), (2, 3, 4), (1, 1, 1, 1, 2)]


def random_tensor(dtype, shape, generator):
    count = 1
    for dimension in shape:
        count *= dimension
    if dtype == torch.bool:
        return torch.randint(0, 2, shape, generator=generator).to(torch.bool)
    width = torch.empty((), dtype=dtype).element_size()
    bits = torch.randint(0, 256, (count * width,), dtype=torch.uint8, generator=generator)
    return bits.view(dtype).reshape(shape)


def same_bits(a, b):
    return (a.dtype == b.dtype and a.shape == b.shape
            and a.contiguous().flatten().view(torch.uint8).equal(b.contiguous().flatten().view(torch.uint8)))


def copies(folder):
    """Library writes, we read and write, library reads: every bit must be there."""
    compared = 0
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        tensors = {f"{str(dtype)[6:]}.{i}": random_tensor(dtype, shape, generator)
                   for dtype in DTYPES for i, shape in enumerate(SHAPES)}
        metadata = {"format": "pt", "note": f"é {seed}"}
        save_file(tensors, folder / "in.safetensors", metadata=metadata)
        subprocess.run([DRIVER, "copy", folder / "in.safetensors", folder / "out.safetensors"], check=True)
        read = load_file(folder / "out.safetensors")
        assert read.keys() == tensors.keys(), "names differ"
        for name, tensor in tensors.items():
            assert same_bits(read[name], tensor), f"{name} differs"
            compared += 1
        with safe_open(folder / "out.safetensors", "pt") as file:
            assert file.metadata() == metadata, "metadata differs"
    print(f"measured: {compared} tensors of {len(DTYPES)} dtypes equal after library, our reader, our writer, library")


def damaged(seed_bytes, rng):
    (length,) = struct.unpack("<Q", seed_bytes[:8])
    header, data = bytearray(seed_bytes[8:8 + length]), seed_bytes[8 + length:]
    kind = rng.randrange(6)
    if kind == 0:
        header[rng.randrange(len(header))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        tree = json.loads(header)
        entry = tree[rng.choice([name for name in tree if name != "__metadata__"])]
        numbers = rng.choice([entry["shape"], entry["data_offsets"]])
        if numbers:
            at = rng.randrange(len(numbers))
            numbers[at] = rng.choice([max(0, numbers[at] + rng.randrange(-3, 4)), 2**63, 2**64, -1, 1.0, "1"])
        header = bytearray(json.dumps(tree).encode())
    elif kind == 2:
        tree = json.loads(header)
        entry = tree[rng.choice([name for name in tree if name != "__metadata__"])]
        entry[rng.choice(["dtype", "shape", "data_offsets"])] = rng.choice(["F32", "I9", None, [], [1], [0, 4], {}, 3])
        header = bytearray(json.dumps(tree).encode())
    elif kind == 3:
        data = data[:rng.randrange(len(data) + 1)] if rng.random() < 0.5 else data + bytes(rng.randrange(9))
    elif kind == 4:
        at = rng.randrange(len(header))
        header[at:at + rng.randrange(4)] = rng.choice([b"", b" ", b"{", b"}", b",", b"\0", b"\"", b"9", b"\xff"])
    else:
        return seed_bytes[:rng.randrange(len(seed_bytes))]
    size = len(header) if rng.random() < 0.95 else rng.randrange(2**64)
    return struct.pack("<Q", size) + bytes(header) + data


def library_accepts(path):
    try:
        with safe_open(path, "pt") as file:
            for name in file.keys():
                file.get_slice(name)
        return True
    except (SafetensorError, OSError, KeyError, ValueError, OverflowError):
        return False


def judgements(folder, count):
    rng = random.Random(5)
    generator = torch.Generator().manual_seed(5)
    seeds = []
    for i in range(10):
        tensors = {f"t{j}": random_tensor(rng.choice(DTYPES), rng.choice(SHAPES), generator) for j in range(1 + i)}
        save_file(tensors, folder / "seed.safetensors", metadata={"format": "pt"} if i % 2 else None)
        seeds.append((folder / "seed.safetensors").read_bytes())
    paths = []
    for i in range(count):
        path = folder / f"{i}.safetensors"
        path.write_bytes(damaged(rng.choice(seeds), rng))
        paths.append(path)
    answer = subprocess.run([DRIVER, "judge"], input="\n".join(map(str, paths)) + "\n", text=True, capture_output=True,
                            check=True)
    verdicts = answer.stdout.splitlines()
    assert len(verdicts) == count, f"{len(verdicts)} verdicts for {count} files"
    both = stricter = 0
    for path, verdict in zip(paths, verdicts):
        library = library_accepts(path)
        assert library or verdict != "ok", f"we accept what the library refuses: {path.read_bytes()!r}"
        both += library and verdict == "ok"
        if library and verdict != "ok":
            stricter += 1
            rules = ["unknown key", "tensor name", "unknown dtype", "is not supported", "appears twice", "used twice",
                     "above 2^63 - 1", "overflows"]
            assert any(rule in verdict for rule in rules), f"refused for no rule of ours: {verdict}"
    print(f"measured: {count} damaged files, {both} accepted by both, {stricter} refused by us alone by our own rules, "
          f"0 accepted by us alone")
    assert both > 0, "no damaged file was accepted: the test says nothing"


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        copies(folder)
        judgements(folder, 3000)


if __name__ == "__main__":
    sys.exit(main())
