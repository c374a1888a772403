"""Intervention options that do not fit: one line that names what is wrong, the right exit code, no output; and what is only
warned about.
"""
import json
import sys
import tempfile
from pathlib import Path

from transformers import AutoConfig
from transformers.utils import logging

from adapters import make_adapter
from make_tiny_checkpoints import make_tiny_checkpoints
from projections import Subspace
from support import spd, write_lines

VARIANTS = ("qwen2-tied", "llama-plain")


class Commands:
    """`spd forward` and `spd generate` with options on one checkpoint."""

    def __init__(self, base, temporary):
        self.out = temporary / "out"
        write_lines(temporary / "ids.jsonl", [{"ids": [1, 2, 3]}])
        write_lines(temporary / "prompts.jsonl", [{"prompt": "a cat"}])
        self.lines = {"forward": ["forward", base, "--ids", temporary / "ids.jsonl", "--out", self.out],
                      "generate": ["generate", base, "--prompts", temporary / "prompts.jsonl", "--out", self.out,
                                   "--max-new-tokens", 2]}
        self.count = 0

    def refused(self, code, naming, *options, commands=("forward", "generate")):
        for command in commands:
            process = spd(*self.lines[command], *options)
            shown = (command, options, process.returncode, process.stdout, process.stderr)
            if (process.returncode, process.stdout, process.stderr.count("\n")) != (code, "", 1) or \
                    not process.stderr.startswith("spd: ") or naming not in process.stderr:
                sys.exit(f"not refused with {code} naming {naming!r}: {shown}")
            assert not list(self.out.parent.glob("out*")), shown
            self.count += 1

    def warned(self, naming, *options):
        process = spd(*self.lines["forward"], *options)
        assert process.returncode == 0 and process.stderr.count("\n") == (naming != ""), process
        assert process.stderr.startswith("spd: warning: " if naming else "") and naming in process.stderr, process
        self.out.unlink()


def main():
    logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        other, base = make_tiny_checkpoints(temporary / "tiny", VARIANTS)
        config = AutoConfig.from_pretrained(base)

        def subspace(name, of=config, checkpoint=base, **settings):
            return Subspace(of, settings.pop("layers", [0, 2]), **settings).write(temporary / name, checkpoint)
        plain, deficient = subspace("plain"), subspace("deficient", rank=9)
        rope, norm = subspace("rope", site="post_rope"), subspace("norm", site="post_norm")
        stranger = subspace("stranger", AutoConfig.from_pretrained(other), other)
        another_config = subspace("another config", checkpoint=other)
        damaged = subspace("damaged")
        text = json.loads((damaged / "subspace.json").read_text())
        (damaged / "subspace.json").write_text(json.dumps(text | {"site": "everywhere"}))
        adapter, strange_adapter = temporary / "adapter", temporary / "strange adapter"
        make_adapter(base, adapter)
        make_adapter(other, strange_adapter)

        run = Commands(base, temporary)
        run.refused(2, "--subspace", "--rank", 3)
        run.refused(2, "--subspace", "--when", "all")
        run.refused(2, "--rank", "--subspace", plain, "--rank", 3, "--rank-rule", "half_dim")
        forward = {"commands": ("forward",)}
        run.refused(2, "--rank", "--subspace", plain, "--rank", 0, **forward)
        run.refused(2, "asks for rank 1000", "--subspace", plain, "--rank", 1000)
        run.refused(2, "numeric rank is 9", "--subspace", deficient, "--rank", 12)
        run.refused(2, "rank rule", "--subspace", plain, "--rank-rule", "energy:2", **forward)
        run.refused(2, "random:SEED", "--subspace", plain, "--control", "random:x", **forward)
        run.refused(2, "random:SEED", "--subspace", plain, "--control", "random:", **forward)
        run.refused(2, "finite", "--subspace", plain, "--strength", "nan", **forward)
        run.refused(2, "finite", "--subspace", plain, "--strength", "1e999", **forward)
        run.refused(2, "--project", "--subspace", plain, "--project", "q", **forward)
        run.refused(2, "--when", "--subspace", plain, "--when", "sometimes", **forward)
        run.refused(2, "layer 1 was not measured", "--subspace", plain, "--project-layers", "1")
        run.refused(2, "layers", "--subspace", plain, "--project-layers", "2,0", **forward)
        run.refused(2, "folded", "--subspace", rope, "--apply", "folded")
        run.refused(2, "no k_norm", "--subspace", norm)
        run.refused(2, "was measured on qwen2-tied", "--subspace", stranger)
        run.refused(2, "nowhere", "--subspace", temporary / "nowhere")
        run.refused(2, "nowhere", "--adapter", temporary / "nowhere")
        run.refused(3, "site", "--subspace", damaged)
        run.refused(3, "this model", "--adapter", strange_adapter)
        run.refused(3, "this model", "--subspace", plain, "--adapter", strange_adapter)

        run.warned("", "--subspace", plain, "--adapter", adapter)
        run.warned("whose config.json is not this model's", "--subspace", another_config)
        run.warned("clipped to the numeric rank 9", "--subspace", subspace("clipped", rank=9, layers=[0]), "--project", "k")
        run.warned("rank 12 is above the numeric rank 9", "--subspace", deficient, "--project-layers", 0, "--project", "v",
                   "--rank", 12, "--allow-arbitrary")
        path = adapter / "adapter_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"base_model_name_or_path": "org/another"}))
        run.warned("was trained on org/another, this model is llama-plain", "--adapter", adapter)
        print(f"measured: {run.count} refusals of intervention options, one line each")


if __name__ == "__main__":
    main()
