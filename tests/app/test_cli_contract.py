"""The promises of the command line that hold for every command: exit codes, one line on standard error, nothing on standard
output on a refusal; and what `spd doctor --json` says against what this script finds out by itself.

    test_cli_contract.py SPD
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

SPD = sys.argv[1]
checks = 0


def run(*arguments, **environment):
    return subprocess.run([SPD, *arguments], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL,
                          env={**os.environ, **environment})


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        sys.exit(f"failed: {what}")


def refused(*arguments, naming):
    result = run(*arguments)
    shown = f"spd {' '.join(arguments)}: exit {result.returncode}, {result.stderr!r}"
    check(result.returncode == 2, shown)
    check(result.stdout == "", f"{shown}, standard output {result.stdout!r}")
    check(result.stderr.startswith("spd: ") and result.stderr.count("\n") == 1 and result.stderr.endswith("\n"), shown)
    check(naming in result.stderr, f"{shown}: does not name {naming!r}")


def commands():
    text = run("--help").stdout
    return [line.split()[0] for line in text.partition("Subcommands:\n")[2].splitlines() if line.startswith("  ")]


def refusals():
    refused(naming="command")
    refused("frobnicate", naming="frobnicate")
    refused("fro\x1b[31mbni\ncate", naming="fro\\x1b[31mbni\\x0acate")
    refused("--frobnicate", naming="--frobnicate")
    for command in commands():
        refused(command, "--threads", "many", naming="--threads")
        refused(command, "--threads", "-1", naming="--threads")
        for seed in ("x", "-1", "18446744073709551616", "1.5", ""):
            refused(command, "--seed", seed, naming="--seed")
        refused(command, "--dtype", "float8", naming="--dtype")
        refused(command, "--device", "tpu", naming="--device")
        refused(command, "--no-such-option", naming="--no-such-option" if command == "doctor" else "")


def answers():
    version = run("--version")
    check(version.returncode == 0 and version.stderr == "", "--version")
    check(version.stdout.startswith("spd ") and version.stdout.count(".") == 2, f"--version says {version.stdout!r}")
    for arguments in [["--help"], *([command, "--help"] for command in commands())]:
        result = run(*arguments)
        check(result.returncode == 0 and result.stderr == "" and "Usage: " in result.stdout, f"{arguments}")


def memory_total():
    with open("/proc/meminfo", encoding="ascii") as file:
        return int(file.readline().split()[1]) * 1024


def sandbox_works():
    if shutil.which("bwrap") is None:
        return "missing"
    done = subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "/bin/true"], capture_output=True)
    return "works" if done.returncode == 0 else "blocked"


def doctor():
    with tempfile.TemporaryDirectory() as data:
        start = time.monotonic()
        result = run("doctor", "--json", XDG_DATA_HOME=data, HF_HUB_CACHE=data)
        seconds = time.monotonic() - start
        check(result.returncode == 0 and result.stderr == "", f"doctor: {result.returncode} {result.stderr!r}")
        found = json.loads(result.stdout)
        rates = found["rates"]
        print(f"measured: spd doctor took {seconds:.1f} s: float32 {rates['float32_gflops']:.0f} GFLOP/s, bfloat16 "
              f"{rates['bfloat16_gflops']:.0f} GFLOP/s, weights {rates['weights_gb_per_s']:.0f} GB/s")
        check(all(value > 0 for value in rates.values()), "every rate is positive")
        check(found["processor"]["threads"] == len(os.sched_getaffinity(0)), "threads")
        check(0 < found["memory"]["available_bytes"] <= found["memory"]["total_bytes"] <= memory_total(), "memory")
        check(found["workspace"]["folder"] == data + "/spd-workbench", "workspace")
        disk = os.statvfs(data)
        check(abs(found["workspace"]["free_bytes"] - disk.f_bavail * disk.f_frsize) < 2**31, "free disk")
        check(found["sandbox"]["state"] == sandbox_works(), "sandbox")
        check(found["hf_cache"] == {"folder": data, "models": 0}, "HF cache")
        check("the sample model" in [item["what"] for item in found["missing"]], "an empty workspace lacks the sample model")
        check(os.listdir(data) == [], "doctor writes nothing")
        check(run("doctor", "--json", "--threads", "1").stdout.find('"threads": 1,') > 0, "--threads 1")
        text = run("doctor", XDG_DATA_HOME=data)
        lines = text.stdout.splitlines()
        check(text.returncode == 0 and 8 <= len(lines) <= 15, f"doctor prints {len(lines)} lines")
        check(any(line.startswith("missing") and "packaging/start.sh" in line for line in lines), "doctor says how to get it")


answers()
refusals()
doctor()
print(f"measured: {checks} checks of the command line over {len(commands())} commands")
