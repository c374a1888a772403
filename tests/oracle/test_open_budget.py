"""The shape of Qwen2.5-0.5B in bfloat16, random weights: `spd generate` and `spd forward` are ready within 2.5 s from a warm page
cache (start of the program, reading, packing and one token included; the best of three runs, since others may load the machine), and
hold at most weights x 1.15 + 300 MB of anonymous memory above what `spd doctor` uses.
"""
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))

from make_shape import make_shape
from open_model import parameters, run
from support import write_lines

SECONDS = 2.5


def main():
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        folder = temporary / "qwen2.5-0.5b"
        make_shape("qwen2.5-0.5b", folder)
        write_lines(temporary / "prompts.jsonl", [{"prompt": "one"}])
        write_lines(temporary / "ids.jsonl", [{"ids": [1, 2, 3]}])
        weights = 2 * parameters(folder)
        budget = weights * 1.15 + 300e6
        _, doctor, _ = run("doctor", "--json")
        commands = {
            "generate": ("generate", folder, "--prompts", temporary / "prompts.jsonl", "--out", temporary / "out.jsonl",
                         "--max-new-tokens", 1, "--json"),
            "forward": ("forward", folder, "--ids", temporary / "ids.jsonl", "--out", temporary / "out.safetensors"),
        }
        failed = False
        for name, command in commands.items():
            runs = [run(*command, "--dtype", "bfloat16", "--overwrite", "--seed", seed) for seed in range(4)][1:]
            seconds = min(run[2] for run in runs)
            memory = max(run[1] for run in runs) - doctor
            print(f"measured: 0.5B shape, bfloat16, {name}: ready after {seconds:.2f} s (at most {SECONDS}), "
                  f"{memory / 1e6:.0f} MB anonymous above doctor (at most {budget / 1e6:.0f}; weights {weights / 1e6:.0f})")
            failed |= seconds > SECONDS or memory > budget
        if failed:
            sys.exit("over the budget")


if __name__ == "__main__":
    main()
