"""Loads an adapter with peft, independently of spd, and compares the logits with those of `spd forward --adapter`.

    verify_adapter.py SPD MODEL_FOLDER ADAPTER_FOLDER
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

# Float32 sums in another order; the same bound as the tests'.
LARGEST_DIFFERENCE = 2e-4


def main():
    spd, model, adapter = sys.argv[1:4]
    generator = torch.Generator().manual_seed(1)
    base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    ids = torch.randint(3, base.config.vocab_size, (64,), generator=generator).tolist()
    with tempfile.TemporaryDirectory() as folder:
        lines, out = Path(folder) / "ids.jsonl", Path(folder) / "logits.safetensors"
        lines.write_text(json.dumps({"ids": ids}) + "\n")
        command = [spd, "forward", model, "--ids", lines, "--out", out, "--adapter", adapter]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        ours = load_file(out)["logits.0"]
    with torch.no_grad():
        plain = base(torch.tensor([ids])).logits[0]
        theirs = PeftModel.from_pretrained(base, adapter)(torch.tensor([ids])).logits[0]
    difference = (ours - theirs).abs().max().item()
    moved = (theirs - plain).abs().max().item()
    print(f"peft loads the adapter: its logits differ from spd's by {difference:.1e} at most; the adapter moves them by {moved:.2f}")
    if not difference <= LARGEST_DIFFERENCE:
        sys.exit(f"the difference is above {LARGEST_DIFFERENCE}")
    if moved == 0:
        sys.exit("the adapter changes nothing")


main()
