"""`cmake --install`: the program runs from another folder with the resources that were installed with it.

The build's own path to the source tree is compiled in, so what is read is told by a mark in the installed templates; where the
machine lets a user mount, the source tree's resources are covered as well.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from make_tiny_checkpoints import make_tiny_checkpoints
from support import SOURCE, SPD

MODEL = "llama-plain"
COVER = 'mount -t tmpfs none "$1" && shift && exec "$@"'


def check(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)


def relative_files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def main():
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_tiny_checkpoints(root / "models", (MODEL,))
        prefix = root / "a prefix"
        installed = run("cmake", "--install", SPD.parent.parent, "--prefix", prefix)
        check(installed.returncode == 0, installed.stderr)
        program, share = prefix / "bin/spd", prefix / "share/spd-workbench"
        for folder, copy in ((SOURCE / "resources", share), (SOURCE / "experiments", share / "experiments")):
            missing = set(relative_files(folder)) - set(relative_files(copy))
            check(not missing, f"not installed: {sorted(missing)[:5]}")
        libraries = run("ldd", program).stdout
        check("libtorch_cpu.so => /" in libraries and "not found" not in libraries, libraries)

        environment = {key: value for key, value in os.environ.items() if key not in ("SPD_RESOURCES", "LD_LIBRARY_PATH")}
        show = (program, "calibrate", root / "models" / MODEL, "--task", "math", "--n", 2, "--show", "--json")
        options = {"env": environment, "cwd": root}
        expected = run(SPD, *show[1:], **options)
        plain = run(*show, **options)
        check(plain.returncode == 0 and plain.stdout == expected.stdout, f"{plain} where the built program says {expected.stdout}")
        dry = run(program, "run", share / "experiments/table1.toml", "--dry-run", "--json", "--workspace", root, **options)
        check(dry.returncode == 0 and json.loads(dry.stdout)["runs"], f"an installed experiment: {dry}")
        cover = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", COVER, "sh", SOURCE / "resources")
        allowed = run(*cover, "true")
        how = "the source tree's covered by a mount" if allowed.returncode == 0 else f"no mount here: {allowed.stderr.strip()}"
        if allowed.returncode == 0:
            covered = run(*cover, *show, **options)
            check(covered.stdout == expected.stdout, f"with the source tree's resources covered: {covered}")
            lost = run(*cover, SPD, *show[1:], **options)
            check(lost.returncode == 2 and "prompts.toml" in lost.stderr, f"the cover covers nothing: {lost}")
        templates = share / "prompts.toml"
        templates.write_text(templates.read_text().replace("Question: ", "Installed question: "))
        marked = run(*show, **options)
        check(marked.returncode == 0 and marked.stdout != expected.stdout, f"the installed templates are not what is read: {marked}")
        shutil.rmtree(share)
        check(run(*show, **options).stdout == expected.stdout, "without them, the source tree's")
    print(f"measured: an installed spd runs with its own resources ({how})")


if __name__ == "__main__":
    main()
