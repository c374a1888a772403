"""What `spd forward` refuses: the exit code, one line that names file, line and rule, and nothing left behind. Also what it must
accept at the same borders.
"""
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from safetensors import safe_open

from make_tiny_checkpoints import POSITIONS, VARIANTS, make_tiny_checkpoints
from support import SPD, sample_model, spd

refusals = 0


def check(condition, what):
    if not condition:
        sys.exit(f"failed: {what}")


def refused(process, folder, code, *naming):
    """`folder` is where the output would be; it must stay empty."""
    global refusals
    refusals += 1
    shown = f"{process.args}: exit {process.returncode}, {process.stderr!r}"
    check(process.returncode == code, f"{shown}, wanted {code}")
    check(process.stdout == "", f"{shown}, standard output {process.stdout!r}")
    check(process.stderr.startswith("spd: ") and process.stderr.endswith("\n") and process.stderr.count("\n") == 1, shown)
    for word in naming:
        check(word in process.stderr, f"{shown}: does not name {word!r}")
    check(not list(folder.iterdir()), f"{shown}: left {list(folder.iterdir())}")


def bad_rows(vocabulary):
    """(rows, the physical line that must be named, words of the rule)"""
    good = '{"ids":[1,2,3]}\n'
    yield good + '{"ids":[]}\n', 2, ["empty"]
    yield '{"ids":[1,%d]}\n' % vocabulary, 1, [f"id {vocabulary} at index 1", f"vocabulary of {vocabulary}"]
    yield good + good + '{"ids":[-1]}\n', 3, ["id -1 at index 0"]
    yield '\n' + good + '{"ids":%s}\n' % json.dumps([1] * (POSITIONS + 1)), 3, [f"{POSITIONS + 1} ids", f"{POSITIONS} positions"]
    yield good + '{"id":[1]}\n', 2, ["ids"]
    yield '{"ids":"1 2 3"}\n', 1, ["ids"]
    yield '{"ids":[1,"2"]}\n', 1, ["ids"]
    yield '{"ids":[1,2.5]}\n', 1, ["ids"]
    yield '{"ids":[1,true]}\n', 1, ["ids"]
    yield '{"ids":[1,null]}\n', 1, ["ids"]
    yield '{"ids":[[1]]}\n', 1, ["ids"]
    yield '{"ids":[1e40]}\n', 1, ["ids"]
    yield '{"ids":[4294967297]}\n', 1, ["id 4294967297"]
    yield '{"ids":[99999999999999999999]}\n', 1, []
    yield '{"ids":[1,2,3]\n', 1, []
    yield '[1,2,3]\n', None, []
    yield '', None, ["no rows"]


def check_rows(model, folder, vocabulary):
    source = folder / "ids.jsonl"
    outputs = folder / "rows"
    outputs.mkdir()
    for text, line, words in bad_rows(vocabulary):
        source.write_text(text)
        place = [str(source)] + ([f"line {line}:"] if line else [])
        refused(spd("forward", model, "--ids", source, "--out", outputs / "o.safetensors"), outputs, 3, *place, *words)
    source.write_text('{"ids":[-1]}\n{"ids":[1]}\n{"ids":[]}\n')
    refused(spd("forward", model, "--ids", source, "--out", outputs / "o.safetensors"), outputs, 3, "line 1:", "1 more")
    everything = spd("forward", model, "--ids", source, "--out", outputs / "o.safetensors", "--json")
    check(everything.returncode == 3 and "line 1:" in everything.stderr and "line 3:" in everything.stderr, everything.stderr)


def check_paths(model, folder):
    source = folder / "good.jsonl"
    source.write_text('{"ids":[1,2,3]}\n')
    outputs = folder / "paths"
    outputs.mkdir()
    out = outputs / "o.safetensors"
    refused(spd("forward", model, "--ids", folder / "absent.jsonl", "--out", out), outputs, 2, "absent.jsonl")
    refused(spd("forward", model, "--ids", folder, "--out", out), outputs, 3, str(folder))
    refused(spd("forward", folder / "no-model", "--ids", source, "--out", out), outputs, 2, "no-model")
    refused(spd("forward", "no-org/no-model", "--ids", source, "--out", out), outputs, 2, "no-org/no-model")
    refused(spd("forward", model, "--ids", source, "--out", outputs / "no" / "o.safetensors"), outputs, 2, str(outputs / "no"))
    refused(spd("forward", model, "--out", out), outputs, 2, "--ids")
    refused(spd("forward", model, "--ids", source), outputs, 2, "--out")

    existing = folder / "existing.safetensors"
    existing.write_bytes(b"precious")
    refused(spd("forward", model, "--ids", source, "--out", existing), outputs, 2, "existing.safetensors", "--overwrite")
    check(existing.read_bytes() == b"precious", "an output was replaced without --overwrite")
    source.write_text('{"ids":[-1]}\n')
    refused(spd("forward", model, "--ids", source, "--out", existing, "--overwrite"), outputs, 3, "line 1:")
    check(existing.read_bytes() == b"precious", "a refused input replaced an output")


def check_disk_full(model, folder):
    """A file may not grow beyond 64 KiB: what was written goes, the message is one line."""
    source = folder / "long.jsonl"
    source.write_text(json.dumps({"ids": [1] * 300}) + "\n")
    outputs = folder / "full"
    outputs.mkdir()
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
    refused(spd("forward", model, "--ids", source, "--out", outputs / "o.safetensors", preexec_fn=limit), outputs, 1,
            str(outputs / "o.safetensors"))


def check_borders(model, folder, vocabulary):
    source = folder / "borders.jsonl"
    source.write_text('\n{"ids":%s}\r\n\n{"ids":[0,%d]}' % (json.dumps([5] * POSITIONS), vocabulary - 1))
    out = folder / "borders.safetensors"
    out.write_bytes(b"old")
    process = spd("forward", model, "--ids", source, "--out", out, "--overwrite", "--json")
    check(process.returncode == 0, process.stderr)
    result = json.loads(process.stdout)
    check((result["sequences"], result["tokens"]) == (2, POSITIONS + 2), result)
    with safe_open(out, "pt") as file:
        shapes = {key: file.get_slice(key).get_shape() for key in file.keys()}
    check(shapes == {"logits.1": [POSITIONS, vocabulary], "logits.3": [2, vocabulary]}, shapes)


def check_interrupt(folder):
    """Ctrl-C in the middle of a long forward: 130 within 2 s, nothing left."""
    source = folder / "many.jsonl"
    source.write_text((json.dumps({"ids": [7] * 600}) + "\n") * 500)
    outputs = folder / "interrupted"
    outputs.mkdir()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen([SPD, "forward", sample_model(), "--ids", source, "--out", outputs / "o.safetensors"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not list(outputs.iterdir()):
            check(process.poll() is None, "spd forward ended before it began to write")
            time.sleep(0.01)
        time.sleep(2)
        start = time.monotonic()
        process.send_signal(signal_number)
        code = process.wait(60)
        seconds = time.monotonic() - start
        check(code == 128 + signal_number, f"signal {signal_number}: exit {code}")
        check(not list(outputs.iterdir()), f"signal {signal_number} left {list(outputs.iterdir())}")
        print(f"measured: forward ends {seconds:.2f} s after signal {int(signal_number)}")
        check(seconds < 2, "slower than 2 s")


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = make_tiny_checkpoints(folder / "tiny", only=list(VARIANTS)[:1])[0]
        vocabulary = json.loads((model / "config.json").read_text())["vocab_size"]
        check_rows(model, folder, vocabulary)
        check_paths(model, folder)
        check_disk_full(model, folder)
        check_borders(model, folder, vocabulary)
        check_interrupt(folder)
    print(f"measured: {refusals} inputs refused by spd forward, each with its exit code, in one line, nothing left")


if __name__ == "__main__":
    main()
