"""A disk that is really full: a small tmpfs in a mount namespace of its own, filled while `spd generate` and `spd train`
write to it.

What was finished stays, one line says what happened, and once there is room the same command (train: --resume, or the paused run
itself) ends with the bytes of an unbroken run. Ends with 77, which CTest shows as skipped, where the machine allows no such mount.
"""
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from support import SOURCE, SPD, read_lines, spd, write_lines

MODEL = "llama-llama3-tied"
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
SIZE = 16 << 20
PAGE = 4096
SKIPPED = 77
PROMPTS = 80


def questions(count):
    return read_lines(SOURCE / "resources/datasets/gsm8k/train.jsonl")[:count]


def mount(folder):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", folder], check=True)
    return folder


def fill(disk, left):
    """Takes all but `left` bytes of the disk."""
    with (disk / "ballast").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(PAGE))
        except OSError:
            file.truncate(file.tell() // PAGE * PAGE - left)


def free(disk):
    (disk / "ballast").unlink()


def is_full_line(text):
    return text.count("\n") == 1 and "No space left on device" in text


def check_generate(model, root, disk):
    prompts = root / "prompts.jsonl"
    write_lines(prompts, [{"id": i, "prompt": row["question"][:200]} for i, row in enumerate(questions(PROMPTS))])
    options = ("generate", model, "--prompts", prompts, "--max-new-tokens", 24, "--threads", 1, "--out")
    whole = root / "whole.jsonl"
    assert spd(*options, whole).returncode == 0
    kept = []
    for number in range(100):
        out = disk / f"corpus-{number}.jsonl"
        fill(disk, (1 + 3 * number) * PAGE)
        process = spd(*options, out)
        if process.returncode == 0:
            break
        assert process.returncode == 1 and is_full_line(process.stderr), process
        partial = out.with_suffix(".partial.jsonl")
        finished = partial.read_bytes().count(b"\n") if partial.exists() else 0
        free(disk)
        again = spd(*options, out, "--json")
        assert again.returncode == 0 and json.loads(again.stdout)["resumed"] == finished, (finished, again)
        kept.append(finished)
        assert out.read_bytes() == whole.read_bytes(), f"gone on with after {finished} records"
        out.unlink()
        out.with_suffix(".meta.json").unlink()
        left = [path.name for path in disk.iterdir() if not path.name.endswith(".lock")]
        assert not left, f"left behind: {left}"
    free(disk)
    assert any(0 < finished < PROMPTS for finished in kept), kept
    print(f"measured: spd generate met {len(kept)} full disks with {', '.join(map(str, kept))} of {PROMPTS} records written, kept "
          f"them and ended as an unbroken run", flush=True)


def same_training(left, right):
    logs = [read_lines(out / "training_log.jsonl") for out in (left, right)]
    for row in logs[0] + logs[1]:
        del row["tokens_per_second"]
    assert logs[0] == logs[1]
    for file in ("adapter_model.safetensors", "adapter_config.json", "spd_provenance.json"):
        assert (left / "adapter" / file).read_bytes() == (right / "adapter" / file).read_bytes(), file


def start_paused(command, out, disk):
    """A training that runs into a full disk after some steps. @return the process and its lines so far."""
    arguments = [str(part) for part in (SPD, *command, "--out", out)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = out / "training_log.jsonl"
    while not log.exists() or log.read_text().count("\n") < 3:
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    fill(disk, 0)
    line = process.stderr.readline()
    assert "training is paused at step" in line and "No space left on device" in line, line
    return process


def check_train(model, root, disk):
    corpus, whole = root / "corpus.jsonl", root / "whole"
    write_lines(corpus, [{"prompt": row["question"][:100], "completion": row["answer"][:100]} for row in questions(8)])
    command = ("train", model, "--corpus", corpus, "--epochs", 10, "--batch-size", 2, "--lr", "1e-3", "--threads", 1,
               "--checkpoint-every", 1)
    assert spd(*command, "--out", whole).returncode == 0

    fill(disk, 64 << 10)
    process = spd(*command, "--out", disk / "none")
    assert process.returncode == 1 and process.stderr.count("\n") == 1 and "are free there" in process.stderr, process
    assert not (disk / "none").exists(), "a refused training leaves nothing"
    free(disk)

    out = disk / "paused"
    process = start_paused(command, out, disk)
    free(disk)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0 and errors.count("\n") == 1 and "training goes on" in errors, (output, errors)
    same_training(whole, out)
    shutil.rmtree(out)

    out = disk / "stopped"
    process = start_paused(command, out, disk)
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 143 and "paused" not in errors, (process.returncode, errors)
    finished = max(int(path.parent.name.removeprefix("step-")) for path in (out / "checkpoints").glob("step-*/manifest.json"))
    full = spd(*command, "--out", out, "--resume")
    assert full.returncode == 1 and full.stderr.count("\n") == 1 and not (out / "result.json").exists(), full
    free(disk)
    again = spd(*command, "--out", out, "--resume", "--json")
    assert again.returncode == 0 and json.loads(again.stdout)["resumed_steps"] == finished > 0, (finished, again)
    same_training(whole, out)
    print(f"measured: spd train paused on a full disk and went on; stopped there, it kept {finished} of 40 steps; both ended as an "
          f"unbroken run", flush=True)


def inside(root):
    disk = mount(root / "disk")
    check_generate(root / "tiny" / MODEL, root, disk)
    check_train(root / "tiny" / MODEL, root, disk)


def main():
    allowed = subprocess.run([*NAMESPACE, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True)
    if allowed.returncode != 0:
        print(f"skipped: this machine allows no mount in a namespace: {allowed.stderr.strip()}")
        sys.exit(SKIPPED)
    from make_tiny_checkpoints import make_tiny_checkpoints
    with tempfile.TemporaryDirectory() as name:
        make_tiny_checkpoints(Path(name) / "tiny", (MODEL,))
        sys.exit(subprocess.run([*NAMESPACE, sys.executable, __file__, name]).returncode)


if __name__ == "__main__":
    inside(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
