"""What `spd calibrate` promises besides its numbers: refusals that leave nothing, equal bytes from equal commands, resuming after
SIGKILL at any moment and after Ctrl-C, memory that does not depend on how many examples there are.
"""
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from make_tiny_checkpoints import make_tiny_checkpoints
from support import SPD, spd, write_lines

FILES = ("subspace.json", "subspace.safetensors", "calibrate.meta.json")
KILLS = 8
EXAMPLES = 60


def expect(condition, text):
    if not condition:
        sys.exit(f"spd calibrate: {text}")


def random_examples(count, length, seed=1):
    generator = random.Random(seed)
    return [{"input_ids": [generator.randrange(600) for _ in range(length)],
             "target_positions": sorted(generator.sample(range(1, length), 3))} for _ in range(count)]


def command(model, examples, out, *options):
    return ["calibrate", model, "--examples", examples, "--out", out, "--layers", "all", "--threads", "1", *options]


def run(*arguments):
    process = spd(*command(*arguments))
    expect(process.returncode == 0, f"{arguments}: {process}")
    return process


def contents(out):
    expect(sorted(path.name for path in out.iterdir()) == sorted(FILES), f"in {out}: {sorted(out.iterdir())}")
    return [(out / name).read_bytes() for name in FILES]


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def check_refusals(model, llama, folder):
    good = folder / "good.jsonl"
    write_lines(good, random_examples(3, 12))
    write_lines(folder / "outside.jsonl", [{"input_ids": [1, 2, 99999], "target_positions": [2]}])
    write_lines(folder / "first.jsonl", [{"input_ids": [1, 2, 3], "target_positions": [0]}])
    write_lines(folder / "none.jsonl", [{"input_ids": [1, 2, 3], "target_positions": []}])
    (folder / "empty.jsonl").write_text("")
    (folder / "a file").write_text("text")
    (folder / "photos").mkdir()
    (folder / "photos/holiday.jpg").write_text("precious")
    broken = folder / "broken"
    shutil.copytree(llama, broken)
    weights = load_file(broken / "model.safetensors")
    name = "model.layers.2.mlp.down_proj.weight"
    weights[name] = torch.full_like(weights[name], float("nan"))
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    before = left_in(folder)
    out = folder / "out"
    cases = [((folder / "no model", good, out), 2, "no model"),
             ((model, folder / "absent.jsonl", out), 2, "absent.jsonl"),
             ((model, good, folder / "absent/out"), 2, "absent"),
             ((model, folder / "outside.jsonl", out), 3, "outside.jsonl: line 1"),
             ((model, folder / "first.jsonl", out), 3, "first.jsonl: line 1"),
             ((model, folder / "none.jsonl", out), 3, "none.jsonl: line 1"),
             ((model, folder / "empty.jsonl", out), 3, "empty.jsonl"),
             ((model, good, folder / "a file"), 2, "a file"),
             ((model, good, folder / "photos"), 2, "photos"),
             ((model, good, out, "--layers", "3"), 2, "layers"),
             ((model, good, out, "--layers", "1,0"), 2, "layers"),
             ((model, good, out, "--loss", "mse"), 2, "loss"),
             ((model, good, out, "--site", "query"), 2, "site"),
             ((model, good, out, "--loss", "full_completion"), 2, "came as ids"),
             ((llama, good, out, "--site", "post_norm"), 2, "k_norm"),
             ((broken, good, out), 3, "not finite"),
             ((model, good, out, "--dtype", "float64"), 2, "dtype")]
    for arguments, code, text in cases:
        options = list(arguments)
        line = [a for a in command(*options[:3]) if a not in ("--layers", "all")] if "--layers" in options else command(*options[:3])
        process = spd(*line, *options[3:])
        expect(process.returncode == code and process.stderr.count("\n") == 1 and text in process.stderr,
               f"{arguments} gave {process.returncode}, expected {code} and \"{text}\": {process.stderr}")
        expect(left_in(folder) == before, f"{arguments} left {set(left_in(folder)) - set(before)}")
    expect((folder / "photos/holiday.jpg").read_text() == "precious", "a foreign folder was touched")
    print(f"measured: calibrate, {len(cases)} refusals with their exit codes, nothing left behind")


def check_finished(model, folder):
    write_lines(folder / "examples.jsonl", random_examples(5, 30))
    write_lines(folder / "others.jsonl", random_examples(5, 30, seed=2))
    out = folder / "sub"
    run(model, folder / "examples.jsonl", out)
    first = contents(out)
    stamps = [(out / name).stat().st_mtime_ns for name in FILES]
    again = json.loads(run(model, folder / "examples.jsonl", out, "--json").stdout)
    expect(again["resumed"] == 5 and again["tokens"] == 0, f"a finished calibration was done again: {again}")
    expect(stamps == [(out / name).stat().st_mtime_ns for name in FILES], "a finished calibration was written again")
    run(model, folder / "examples.jsonl", folder / "twin")
    expect(contents(folder / "twin") == first, "two runs of one command differ")
    for arguments, text in (((folder / "examples.jsonl", out, "--site", "post_rope"), "site"),
                            ((folder / "examples.jsonl", out, "--dtype", "bfloat16"), "dtype"),
                            ((folder / "examples.jsonl", out, "--per-head"), "per_head"),
                            ((folder / "others.jsonl", out), "examples_sha256")):
        process = spd(*command(model, *arguments))
        expect(process.returncode == 2 and text in process.stderr and "--overwrite" in process.stderr, process)
        expect(contents(out) == first, "a refused command changed a finished calibration")
    with open(out / "subspace.json", "a") as file:
        file.write("\n")
    process = spd(*command(model, folder / "examples.jsonl", out))
    expect(process.returncode == 2 and "changed" in process.stderr, process)
    run(model, folder / "examples.jsonl", out, "--overwrite")
    expect(contents(out) == first, "--overwrite made something else")
    run(model, folder / "others.jsonl", out, "--overwrite")
    expect(contents(out) != first, "--overwrite kept the old one")


def start(*arguments):
    return subprocess.Popen([SPD, *map(str, command(*arguments))], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def saved_examples(out):
    """In the sums that lie beside `out`; 0 where there are none or they are being exchanged."""
    try:
        return len(json.loads((out.parent / (out.name + ".partial") / "state.json").read_text())["state"]["examples"])
    except (FileNotFoundError, NotADirectoryError):
        return 0


def wait_for(out, count, process):
    """Until that many examples are saved, or the process has ended."""
    while saved_examples(out) < count and process.poll() is None:
        time.sleep(0.002)


def check_kills(model, folder):
    examples = folder / "many.jsonl"
    write_lines(examples, random_examples(EXAMPLES, 40))
    run(model, examples, folder / "unbroken")
    expected = contents(folder / "unbroken")
    out = folder / "killed"
    generator = random.Random(5)
    hit = []
    for number in range(KILLS):
        process = start(model, examples, out, "--save-every", "0")
        wait_for(out, (number + 1) * EXAMPLES // (KILLS + 1), process)
        time.sleep(generator.uniform(0, 0.02))
        process.kill()
        process.communicate()
        if process.returncode == -signal.SIGKILL:
            hit.append(saved_examples(out))
    process = run(model, examples, out, "--save-every", "0", "--json")
    resumed = json.loads(process.stdout)["resumed"]
    expect(len(hit) >= KILLS // 2 and resumed > 0, f"killed at {hit}, resumed {resumed}: the test must hit running processes")
    expect(contents(out) == expected, "a run killed and resumed differs from an unbroken one")
    stray = [name for name in left_in(folder) if "tmp" in name or "partial" in name or "lock" in name]
    expect(not stray, f"left behind: {stray}")
    print(f"measured: calibrate, killed with {', '.join(map(str, hit))} of {EXAMPLES} examples saved, then as an unbroken run")
    return examples, expected


def check_other_threads(model, examples, out, copy):
    """Gone on with on more threads, it is said that the last digits may differ, once."""
    shutil.copytree(f"{out}.partial", f"{copy}.partial")
    arguments = command(model, examples, copy)
    arguments[arguments.index("--threads") + 1] = "2"
    process = spd(*arguments)
    expect(process.returncode == 0 and process.stderr.count("\n") == 1, f"on two threads: {process}")
    expect("the examples so far were computed on 1 thread, the rest is on 2" in process.stderr, process.stderr)


def check_signals(model, folder, examples, expected):
    for sent, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        out = folder / f"stopped-{code}"
        process = start(model, examples, out, "--save-every", "0")
        wait_for(out, EXAMPLES // 4, process)
        began = time.monotonic()
        process.send_signal(sent)
        error = process.communicate()[1]
        took = time.monotonic() - began
        expect(process.returncode == code and "goes on from there" in error, f"signal {sent}: {process.returncode} {error}")
        expect(not out.exists() and saved_examples(out) >= EXAMPLES // 4, f"after signal {sent}")
        refused = spd(*command(model, examples, out, "--loss", "full_sequence"))
        expect(refused.returncode == 2 and "loss was" in refused.stderr, refused)
        check_other_threads(model, examples, out, folder / f"threads-{code}")
        process = run(model, examples, out, "--json")
        expect("thread" not in process.stderr, f"warned without a reason: {process.stderr}")
        resumed = json.loads(process.stdout)["resumed"]
        expect(resumed >= EXAMPLES // 4 and contents(out) == expected, f"resumed after signal {sent}")
        print(f"measured: calibrate, stopped by signal {int(sent)} in {took:.2f} s with {resumed} of {EXAMPLES} examples, "
              f"then as an unbroken run")
    # Only Ctrl-C saves here: the sums of less than a minute.
    out = folder / "stopped early"
    process = start(model, examples, out)
    deadline = time.monotonic() + 60
    while not (out.parent / ".stopped early.lock").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.communicate()
    run(model, examples, out)
    expect(contents(out) == expected, "resumed after an early Ctrl-C")


def check_damage(model, folder, examples, expected):
    out = folder / "damaged"
    for name, position in (("state.json", 700), ("sums.safetensors", 3000)):
        process = start(model, examples, out, "--save-every", "0")
        wait_for(out, EXAMPLES // 3, process)
        process.kill()
        process.communicate()
        file = folder / "damaged.partial" / name
        content = bytearray(file.read_bytes())
        content[position] ^= 1
        file.write_bytes(content)
        refused = spd(*command(model, examples, out))
        expect(refused.returncode == 2 and "--overwrite" in refused.stderr and refused.stderr.count("\n") == 1, refused)
        run(model, examples, out, "--overwrite")
        expect(contents(out) == expected and not (folder / "damaged.partial").exists(), "started anew")
        shutil.rmtree(out)
    process = start(model, examples, out, "--save-every", "0")
    wait_for(out, EXAMPLES // 3, process)
    second = spd(*command(model, examples, out))
    running = process.poll() is None
    process.kill()
    process.communicate()
    if running:
        expect(second.returncode == 2 and "another process" in second.stderr, second)


def check_strange_settings(model, examples, folder):
    """A settings file that is JSON of another shape is refused by its name, and --overwrite starts anew."""
    out = folder / "strange"
    run(model, examples, out)
    expected = contents(out)
    for text in ("[]", "7", "{}", '{"files": []}', '{"mine": 1}', "null"):
        (out / "calibrate.meta.json").write_text(text)
        refused = spd(*command(model, examples, out))
        expect(refused.returncode == 2 and refused.stderr.count("\n") == 1, refused)
        expect("calibrate.meta.json is not a settings file; --overwrite" in refused.stderr, refused)
        run(model, examples, out, "--overwrite")
        expect(contents(out) == expected, "made anew")


def peak(model, examples, out, *options):
    """Peak memory of a run, MiB. (What wait4() tells includes this Python before it became spd.)"""
    process = subprocess.Popen([SPD, *map(str, command(model, examples, out, *options))], stdout=subprocess.DEVNULL)
    largest = 0
    while process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text()
        if "VmHWM" in status and Path(f"/proc/{process.pid}/comm").read_text() == "spd\n":
            largest = int(status.split("VmHWM:")[1].split()[0])
        time.sleep(0.002)
    expect(process.returncode == 0 and largest > 0, f"{options}")
    return largest / 1024


def check_memory(model, folder):
    write_lines(folder / "few.jsonl", random_examples(4, 400))
    write_lines(folder / "more.jsonl", random_examples(160, 400))
    few, more = (peak(model, folder / f"{name}.jsonl", folder / f"memory-{name}") for name in ("few", "more"))
    print(f"measured: calibrate, peak memory with 4 examples {few:.0f} MiB, with 160 {more:.0f} MiB")
    expect(more - few < 24, "memory grows with the number of examples")  # gradients of 160 would be 250 MiB


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model, wide, llama = make_tiny_checkpoints(folder / "tiny", ("qwen2-tied", "llama-plain", "qwen3-head128-biases"))
        for name in ("refusals", "runs"):
            (folder / name).mkdir()
        check_refusals(model, llama, folder / "refusals")
        check_finished(model, folder / "runs")
        examples, expected = check_kills(model, folder / "runs")
        check_signals(model, folder / "runs", examples, expected)
        check_strange_settings(model, examples, folder / "runs")
        check_damage(model, folder / "runs", examples, expected)
        check_memory(wide, folder / "runs")


if __name__ == "__main__":
    main()
