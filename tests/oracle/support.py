"""What the oracle tests share: where things are, running the built programs, JSON Lines."""
import json
import os
import subprocess
import sys
from pathlib import Path

SOURCE = Path(os.environ["SPD_SOURCE_DIR"])
SPD = Path(os.environ["SPD_BIN"]) / "spd"
GSM8K_TEST = SOURCE / "resources/datasets/gsm8k/test.jsonl"


def workspace():
    data = os.environ.get("XDG_DATA_HOME", "")
    return Path(data if data.startswith("/") else Path.home() / ".local/share") / "spd-workbench"


def sample_model():
    """The sample model's folder: $SPD_SAMPLE_MODEL, else where packaging/start.sh puts it."""
    folder = Path(os.environ.get("SPD_SAMPLE_MODEL") or workspace() / "models/smollm2-135m-instruct")
    if not (folder / "model.safetensors").is_file():
        sys.exit(f"no sample model in {folder}: packaging/start.sh makes it, or set SPD_SAMPLE_MODEL")
    return folder


def sample_tokenizer(folder):
    """The reference for text is `tokenizers`: AutoTokenizer leaves out the Digits step of this model."""
    from tokenizers import Tokenizer
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def reference_model(folder, dtype):
    """transformers' model of a checkpoint folder, for inference; dtype is a torch type (the default would be "auto")."""
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging
    logging.disable_progress_bar()
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


def read_lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def spd(*arguments, **options):
    """Runs spd; returns the finished process with its text output."""
    return subprocess.run([SPD, *(a if isinstance(a, bytes) else str(a) for a in arguments)], capture_output=True, text=True, **options)


def generate(model, prompts, out, *options):
    """`spd generate`, which must succeed; its records."""
    process = spd("generate", model, "--prompts", prompts, "--out", out, *options)
    if process.returncode != 0:
        sys.exit(f"spd generate failed with {process.returncode}: {process.stderr}")
    return read_lines(out)
