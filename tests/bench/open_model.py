"""How long `spd forward` takes to open a checkpoint, and how much anonymous memory it holds above `spd doctor`.

    open_model.py FOLDER [--dtype bfloat16] [--runs 5]

The first run warms the page cache and is not counted. SPD_BIN names the folder of the programs.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from safetensors import safe_open

SPD = Path(os.environ["SPD_BIN"]) / "spd"
BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}


def anonymous_memory(process):
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def run(*arguments):
    """Output, largest RssAnon seen and seconds from start to end."""
    start = time.monotonic()
    process = subprocess.Popen([str(SPD), *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, anonymous_memory(process))
        time.sleep(0.002)
    if process.returncode != 0:
        raise SystemExit(f"spd {arguments[0]} failed with {process.returncode}")
    return process.stdout.read(), peak, time.monotonic() - start


def parameters(folder):
    count = 0
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            for name in file.keys():
                size = 1
                for extent in file.get_slice(name).get_shape():
                    size *= extent
                count += size
    return count


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dtype", default="bfloat16", choices=BYTES)
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    weights = parameters(arguments.folder) * BYTES[arguments.dtype]
    _, doctor, _ = run("doctor", "--json")
    opens, totals, peaks = [], [], []
    with tempfile.TemporaryDirectory() as temporary:
        ids = Path(temporary) / "ids.jsonl"
        ids.write_text('{"ids":[1]}\n')
        for number in range(arguments.runs + 1):
            output, peak, seconds = run("forward", arguments.folder, "--ids", ids, "--out", Path(temporary) / "out.safetensors",
                                        "--overwrite", "--json", "--dtype", arguments.dtype)
            if number > 0:
                opens.append(json.loads(output)["open_seconds"])
                totals.append(seconds)
                peaks.append(peak)
    mib = 1 << 20
    allowed = 1.15 * weights + 300 * mib
    above = max(peaks) - doctor
    print(f"measured: {arguments.folder.name}, {arguments.dtype}: open in {statistics.median(opens):.2f} s (median of "
          f"{arguments.runs}, {min(opens):.2f} to {max(opens):.2f}), one token from start to exit "
          f"{statistics.median(totals):.2f} s; RssAnon {above / mib:.0f} MiB above doctor's {doctor / mib:.0f} MiB, weights "
          f"{weights / mib:.0f} MiB, allowed {allowed / mib:.0f} MiB")


if __name__ == "__main__":
    main()
