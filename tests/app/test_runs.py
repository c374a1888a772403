"""spd runs, with Python's sqlite3 as an independent reader and writer of the database: what import records, what list, show,
compare, query, tag, note and delete do, exit codes and single lines for wrong input, a busy, full, damaged or foreign database.

    test_runs.py SPD
"""
import csv
import fcntl
import hashlib
import io
import json
import math
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SPD = sys.argv[1]
checks = 0


def check(condition, what):
    global checks
    checks += 1
    if not condition:
        sys.exit(f"failed: {what}")


class Workspace:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.file = self.folder / "spd.sqlite"

    def run(self, *arguments, **options):
        return subprocess.run([SPD, "runs", *arguments, "--workspace", self.folder], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, **options)

    def answer(self, *arguments, notes=""):
        done = self.run(*arguments)
        check(done.returncode == 0 and notes in done.stderr and (notes or done.stderr == ""),
              f"spd runs {arguments}: exit {done.returncode}, {done.stderr!r}")
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.answer(*arguments, "--json"))

    def refused(self, code, naming, *arguments, **options):
        done = self.run(*arguments, **options)
        shown = f"spd runs {arguments}: exit {done.returncode}, {done.stderr!r}, standard output {done.stdout!r}"
        check(done.returncode == code and done.stdout == "", shown)
        check(done.stderr.startswith("spd: ") and done.stderr.count("\n") == 1, shown)
        check(naming in done.stderr, f"{shown}: does not name {naming!r}")

    def rows(self, sql, *values):
        with sqlite3.connect(self.file) as database:
            return database.execute(sql, values).fetchall()

    def write(self, sql, *values):
        with sqlite3.connect(self.file, isolation_level=None) as database:
            database.execute("PRAGMA foreign_keys = ON")
            database.execute(sql, values)


def tree(folder):
    """Every file with its bytes and times: what must not change."""
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(folder.rglob("*")) if path.is_file()}


def write_json(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def make_folder(folder):
    """What calibrate, generate, train and eval leave."""
    write_json(folder / "subspace/subspace.json", {"format_version": 1, "site": "proj", "layers": [1, 0], "per_head": False,
                                                   "examples": [{"id": 1}], "targets": {"0.k": {"rows": 3}}})
    (folder / "subspace/subspace.safetensors").write_bytes(b"tensors")
    write_lines(folder / "corpus.jsonl", [{"id": 0, "completion": "x"}])
    write_json(folder / "corpus.meta.json", {"stage": "generate", "seed": 7, "temperature": 1.0, "stop": ["é\n"],
                                             "model": {"id": "caf\u00e9", "revision": ""},
                                             "intervention": {"projection": {"subspace_sha256": "a" * 64, "rank": 2}}})
    write_json(folder / "train/adapter/spd_provenance.json", {"stage": "train", "seed": 7, "corpus_sha256": "b" * 64, "lr": 1e-5})
    write_json(folder / "train/adapter/adapter_config.json", {"r": 8})
    (folder / "train/adapter/adapter_model.safetensors").write_bytes(b"adapter")
    write_lines(folder / "train/training_log.jsonl", [{"step": i, "epoch": 0, "loss": 1 / i, "lr": 1e-5, "tokens": 10 * i} for i in (1, 2)] +
                [{"step": 3, "epoch": 0, "loss": 1 / 3, "lr": 1e-5, "tokens": 30, "held_out_nll": 2.5}])
    write_json(folder / "eval/gsm8k/results.json", {"results": {"gsm8k": {"alias": "gsm8k", "exact_match,final_number": 0.5}}})
    write_lines(folder / "eval/gsm8k/samples_gsm8k.jsonl",
                [{"doc_id": 0, "doc": {"id": "gsm8k/test/3"}, "target": "4", "filtered_resps": ["4"], "exact_match": 1.0},
                 {"doc_id": 1, "doc": {"id": 9}, "target": "5", "filtered_resps": [["\u0007"]], "exact_match": 0.0}])


def imports(workspace, work):
    check(workspace.answer("list").startswith("no run was recorded"), "an empty workspace")
    check(workspace.json("list") == [], "an empty workspace as JSON")
    for arguments in (["show", "x"], ["query", "SELECT 1"], ["compare", "x", "y"]):
        workspace.refused(2, "no run was recorded", *arguments)
    check(not workspace.folder.exists(), "looking makes no database")

    folder = work / "with blank, \u00e9"
    make_folder(folder)
    before = tree(folder)
    made = workspace.json("import", folder)[0]
    check(tree(folder) == before, "import moves and changes nothing")
    run = made["id"]
    params = dict(workspace.rows("SELECT key, value FROM params WHERE run_id = ?", run))
    for key, value in {"generate.temperature": "1.0", "generate.model.id": "caf\u00e9", "generate.stop": '["é\\n"]', "train.lr": "1e-05",
                       "calibrate.layers": "[1,0]", "generate.intervention.projection.rank": "2"}.items():
        check(params.get(key) == value, f"{key}: {params.get(key)!r}")
    check(not any("examples" in key or "targets" in key for key in params), "long lists are left out")
    metrics = {(key, step): value for key, step, value in workspace.rows("SELECT key, step, value FROM metrics WHERE run_id = ?", run)}
    check(metrics[("train/loss", 3)] == 1 / 3 and metrics[("train/tokens", 2)] == 20
          and metrics[("train/held_out_nll", 3)] == 2.5 and metrics[("gsm8k/exact_match", 0)] == 0.5, f"{metrics}")
    artifacts = workspace.rows("SELECT kind, path, sha256, size FROM artifacts WHERE run_id = ? ORDER BY path", run)
    files = {path: kind for kind, path, *_ in artifacts}
    for kind, path, digest, size in artifacts:
        check(digest == sha256(Path(path)) and size == Path(path).stat().st_size, f"{path}")
    check(files[str(folder / "corpus.jsonl")] == "corpus" and files[str(folder / "train/adapter/adapter_model.safetensors")] == "adapter",
          f"{files}")
    edges = workspace.rows("SELECT from_kind, from_sha256, to_kind, to_sha256 FROM lineage WHERE run_id = ? ORDER BY from_kind", run)
    check(edges == [("corpus", "b" * 64, "adapter", sha256(folder / "train/adapter/adapter_model.safetensors")),
                    ("subspace", "a" * 64, "corpus", sha256(folder / "corpus.jsonl"))], f"{edges}")
    examples = workspace.rows("SELECT example_id, gold, answer, score FROM eval_examples WHERE run_id = ? ORDER BY sequence", run)
    check(examples == [("gsm8k/test/3", "4", "4", 1.0), ("9", "5", "\u0007", 0.0)], f"{examples}")
    row = workspace.rows("SELECT status, imported, seed, method, experiment_id FROM runs")[0]
    check(row == ("FINISHED", 1, 7, "evaluate", "imported-e3b0c442"), f"{row}")
    check(workspace.json("import", folder)[0]["id"] == run and len(workspace.json("list")) == 1, "the same folder is the same run")

    partial = work / "partial"
    write_json(partial / "x.meta.json", {"stage": "generate", "seed": 1})
    (partial / "x.partial.jsonl").write_text('{"id":0}\n')
    check(workspace.json("import", partial)[0]["status"] == "KILLED", "an unfinished corpus")
    nowhere = work / "nothing"
    nowhere.mkdir()
    bad = work / "bad"
    write_json(bad / "results.json", {})
    (bad / "results.json").write_text('{"results": {}, "results": 1}')
    log = work / "log"
    log.mkdir()
    (log / "training_log.jsonl").write_text('{"loss": 1}\n')
    os.mkfifo(work / "fifo.meta.json")
    workspace.refused(2, "no such folder", "import", work / "nosuch")
    workspace.refused(2, "no such folder", "import", log / "training_log.jsonl")
    workspace.refused(3, "nothing here that spd wrote", "import", nowhere)
    workspace.refused(3, "duplicate key", "import", bad)
    workspace.refused(3, 'training_log.jsonl: line 1: no field "step"', "import", log)
    workspace.refused(3, "duplicate key", "import", folder, bad)  # nothing of the first either
    check(len(workspace.json("list")) == 2, "a refused import leaves nothing")
    odd = os.fsencode(work) + b"/\xff"
    os.mkdir(odd)
    (Path(os.fsdecode(odd)) / "a.meta.json").write_text("{}")
    workspace.refused(2, "UTF-8", "import", odd)
    return run


RUN = """INSERT INTO runs (run_id, experiment_id, name, method, seed, point, folder, status, start_ms, utc_offset_minutes, program,
         sqlite, seconds) VALUES (?, 'quick-0a1b2c3d', ?, ?, 42, ?, ?, ?, 1764065700000, 60, 'spd 0.1.0', '3.40.1 X', ?)"""


def make_runs(workspace):
    workspace.write("INSERT INTO experiments (experiment_id, name, config, config_sha256, created_ms) VALUES "
                    "('quick-0a1b2c3d', 'quick', 'name = 1', ?, 1)", "0" * 64)
    for run, name, method, point, status, seconds in (("aaaa00000001", "base-s42", "base", "", "FINISHED", 7.25),
                                                      ("aaaa00000002", "spd-s42", "spd", "", "FINISHED", 4000),
                                                      ("bbbb00000003", "spd-s42-r=4", "spd", "r=4", "RUNNING", 0)):
        folder = f"experiments/quick-0a1b2c3d/runs/{name}"
        (workspace.folder / folder).mkdir(parents=True)
        workspace.write(RUN, run, name, method, point, folder, status, seconds)
        for position, (key, value) in enumerate((("lr", "1e-05"), ("rank", str(len(name))), ("same", "x"))):
            workspace.write("INSERT INTO params VALUES (?, ?, ?, ?)", run, key, value, position)
    workspace.write("INSERT INTO metrics VALUES ('aaaa00000002', 'loss', 1, 2.0, 1)")
    workspace.write("INSERT INTO metrics VALUES ('aaaa00000002', 'loss', 10, NULL, 1)")
    workspace.write("INSERT INTO metrics VALUES ('aaaa00000001', 'loss', 10, ?, 1)", math.inf)
    workspace.write("INSERT INTO stages (run_id, name, status, input_sha256, seconds, start_ms) VALUES "
                    "('aaaa00000002', 'train', 'FINISHED', 'i', 65, 1)")


def looks(workspace):
    runs = workspace.json("list", "--experiment", "quick")
    check([run["name"] for run in runs] == ["base-s42", "spd-s42", "spd-s42-r=4"], f"{runs}")
    lines = workspace.answer("list").splitlines()
    check(len(lines) == 6 and all("aaaa" in line or "bbbb" in line or "imported" in line for line in lines[1:]), f"{lines}")
    check("2025-11-25 10:15" in lines[4] and "1 h 6 min" in lines[4], f"{lines[4]!r}")
    check(lines[0].index("status") == lines[4].index("FINISHED"), "columns are aligned")
    check("and 4 earlier ones" in workspace.answer("list", "--limit", "1"), "--limit")
    for text, run in (("aaaa00000001", 1), ("base", 1), ("bb", 3), ("spd-s42", 2), ("quick-0a1b2c3d/spd-s42-", 3)):
        check(workspace.json("show", text)["id"].endswith(str(run)), f"show {text}")
    workspace.refused(2, "2 runs: aaaa00000001", "show", "aaaa")
    workspace.refused(2, "2 runs", "show", "spd-")
    workspace.refused(2, "no run", "show", "")
    workspace.refused(2, "no run \"\\x1b[31m\"", "show", "\x1b[31m")
    workspace.refused(2, "RUN", "show")
    shown = workspace.json("show", "aaaa00000002")
    check(shown["params"] == {"lr": "1e-05", "rank": "7", "same": "x"} and shown["metrics"]["loss"] == {"step": 10, "value": "nan"}
          and shown["stages"][0]["seconds"] == 65 and shown["seconds"] == 4000, f"{shown}")
    text = workspace.answer("show", "aaaa00000002")
    check("1 min 5 s" in text and "Params" in text and "nan" in text and "SQLite 3.40.1\n" in text, text)

    compared = workspace.json("compare", "base", "aaaa00000002")
    check([(row["kind"], row["key"], row["values"]) for row in compared["differences"]] ==
          [("param", "method", ["base", "spd"]), ("param", "rank", ["8", "7"]), ("metric", "loss", ["inf", "nan"])], f"{compared}")
    table = workspace.answer("compare", "base", "aaaa00000002")
    check("rank" in table and "same" not in table and "lr" not in table, table)
    check("no param, final metric or tag differs" in workspace.answer("compare", "base", "base"), "nothing differs")
    workspace.refused(2, "RUN", "compare", "base")
    workspace.refused(2, "no run", "compare", "base", "nosuch")


def edits(workspace):
    check(workspace.json("tag", "base", "good", "score=a=b", "\u00e9=\n") == {"id": "aaaa00000001", "tags": {"good": "", "score": "a=b", "\u00e9": "\n"}},
          "tags")
    check("good, score=a=b" in workspace.answer("list"), "tags are listed")
    check(workspace.answer("tag", "base", "--remove", "good", "\u00e9").endswith("base-s42: score=a=b\n"), "tag --remove")
    workspace.refused(2, "no tag \"good\"", "tag", "base", "good", "--remove")
    workspace.refused(2, "KEY=VALUE", "tag", "base", "=x")
    workspace.refused(2, "UTF-8", "tag", "base", b"\xff")
    workspace.refused(2, "TAG", "tag", "base")
    workspace.answer("note", "base", "why; 'x'\n-- \u00e9")
    check(workspace.rows("SELECT note FROM runs WHERE run_id = 'aaaa00000001'") == [("why; 'x'\n-- \u00e9",)], "note")
    check(workspace.answer("note", "base", "").endswith("no note\n"), "an empty note")


def queries(workspace):
    workspace.write("INSERT INTO tags VALUES ('aaaa00000002', ?, ?)", 'a "quoted", one', "two\nlines")
    for sql in ("SELECT * FROM runs ORDER BY sequence", "SELECT key, value FROM tags", "SELECT key, step, value, NULL, '' FROM metrics",
                "WITH x(a) AS (VALUES (1), (2)) SELECT a, a * 0.1 FROM x", "SELECT count(*) FROM params"):
        rows = list(csv.reader(io.StringIO(workspace.answer("query", sql))))
        expected = workspace.rows(sql)
        check(len(rows) == len(expected) + 1, f"{sql}: {len(rows)} lines")
        for row, values in zip(rows[1:], expected):
            for cell, value in zip(row, values, strict=True):
                same = cell == ("" if value is None else str(value)) if not isinstance(value, float) else float(cell) == value
                check(same, f"{sql}: {cell!r} is not {value!r}")
        answer = workspace.json("query", sql)
        for row, values in zip(answer["rows"], expected, strict=True):
            check(row == [("inf" if isinstance(v, float) and math.isinf(v) else v) for v in values], f"{sql}: {row} {values}")
    before = workspace.file.read_bytes()
    for sql in ("DELETE FROM runs", "PRAGMA journal_mode = WAL", "SELECT 1; DELETE FROM runs", "SELECT nosuch", ""):
        workspace.refused(2, "query: ", "query", sql)
    check(workspace.file.read_bytes() == before, "a query changed the file")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "
    start = time.monotonic()
    workspace.refused(2, "took more than 0.3 s", "query", endless + "count(*) FROM n", "--seconds", "0.3")
    check(time.monotonic() - start < 20, "an endless query ends")
    check(workspace.answer("query", endless + "i FROM n", "--limit", "3", notes="only the first 3 rows").split() == ["i", "1", "2", "3"],
          "--limit")
    workspace.refused(2, "--limit", "query", "SELECT 1", "--limit", "0")


def lives(workspace):
    """RUNNING as long as somebody holds the run's lock file."""
    folder = workspace.folder / "experiments/quick-0a1b2c3d/runs/spd-s42-r=4"
    with open(folder / "run.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        workspace.write("UPDATE runs SET status = 'RUNNING' WHERE run_id = 'bbbb00000003'")
        check(workspace.json("show", "bb")["status"] == "RUNNING", "a held run")
        workspace.refused(2, "is running", "delete", "bb")
    check(workspace.json("show", "bb")["status"] == "KILLED", "a run whose holder is gone")
    check(workspace.rows("SELECT status FROM runs WHERE run_id = 'bbbb00000003'") == [("KILLED",)], "written down")


def deletes(workspace, imported):
    folder = workspace.folder / "experiments/quick-0a1b2c3d"
    for name in ("common", "own"):
        write_json(folder / "shared" / name / "x.json", {})
    (folder / "runs/spd-s42/corpus.jsonl").write_text("{}\n")
    for run, name in (("aaaa00000002", "common"), ("aaaa00000002", "own"), ("aaaa00000001", "common")):
        workspace.write("INSERT INTO artifacts (run_id, kind, path, sha256, size) VALUES (?, 'subspace', ?, '', 2)", run,
                        f"experiments/quick-0a1b2c3d/shared/{name}/x.json")
    workspace.refused(2, "no run", "delete", "aaaa00000002", "nosuch")  # none is deleted then
    said = workspace.answer("delete", "aaaa00000002")
    trash = workspace.folder / "trash/aaaa00000002"
    check("move it back" in said and str(trash / "spd-s42") in said and str(trash / "shared") in said, said)
    check((trash / "spd-s42/corpus.jsonl").exists() and (trash / "shared/own/x.json").exists(), "moved to the trash")
    check((folder / "shared/common/x.json").exists() and not (folder / "shared/own").exists(), "what others share stays")
    check("aaaa00000002" not in workspace.answer("list") and "aaaa00000002" in workspace.answer("list", "--deleted"), "listed as deleted")
    check(workspace.json("show", "aaaa00000002")["trash"] == str(trash), "shown by its whole id")
    workspace.refused(2, "deleted already", "delete", "aaaa00000002")
    os.rename(trash / "spd-s42", folder / "runs/spd-s42")
    os.rename(trash / "shared/own", folder / "shared/own")
    check(workspace.json("show", "spd-s42")["id"] == "aaaa00000002", "moved back, there again")
    check(workspace.rows("SELECT deleted_ms FROM runs WHERE run_id = 'aaaa00000002'") == [(None,)], "written down")
    check("stay" in workspace.answer("delete", imported), "an imported run's files stay")


def busy(workspace):
    holder = sqlite3.connect(workspace.file, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(1.5, lambda: holder.execute("COMMIT"))
    start = time.monotonic()
    timer.start()
    workspace.answer("tag", "base", "waited")
    check(time.monotonic() - start > 1, "the tag waited for the lock")
    timer.join()
    holder.close()
    started = [subprocess.Popen([SPD, "runs", "tag", "base", f"t{i}", "--workspace", workspace.folder], stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE) for i in range(4)]
    for process in started:
        check(process.communicate()[1] == b"" and process.returncode == 0, "four at once")
    check(workspace.rows("SELECT count(*) FROM tags WHERE key GLOB 't[0-9]'") == [(4,)], "none of four tags is lost")


def full(workspace):
    size = workspace.file.stat().st_size

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    workspace.refused(1, "nothing of this was recorded", "note", "base", "x" * 100_000, preexec_fn=little_room)
    check(workspace.rows("SELECT note FROM runs WHERE run_id = 'aaaa00000001'") == [("",)], "a full disk leaves the old rows")
    check(workspace.rows("PRAGMA integrity_check") == [("ok",)], "integrity after a full disk")
    workspace.answer("note", "base", "x" * 100_000)


def killed(workspace):
    """SIGKILL at any moment of a command: the row is there or not, the file is sound, the next one says nothing."""
    for i in range(6):
        process = subprocess.Popen([SPD, "runs", "tag", "base", f"k={i}", "--workspace", workspace.folder], stdout=subprocess.DEVNULL)
        time.sleep(0.05 * i)
        process.send_signal(signal.SIGKILL)
        process.wait()
        check(len(workspace.json("list")) == 4, "the runs are there")
        check(workspace.rows("PRAGMA integrity_check") == [("ok",)], "integrity after a kill")


def checked(workspace):
    check(workspace.answer("check").endswith("spd.sqlite: sound, 5 runs\n"), "check")
    with sqlite3.connect(workspace.file) as database:
        database.execute("INSERT INTO tags VALUES ('nosuch', 'a', 'b')")  # foreign keys are off here
    workspace.refused(3, "a row of tags has no parent in runs", "check")
    workspace.write("DELETE FROM tags WHERE run_id = 'nosuch'")


def damaged(work):
    workspace = Workspace(work / "damaged")
    workspace.folder.mkdir()
    sqlite3.connect(workspace.file).executescript("CREATE TABLE mine (a); PRAGMA application_id = 77")
    before = workspace.file.read_bytes()
    for arguments in (["list"], ["import", work / "partial"]):
        workspace.refused(3, "another program", *arguments)
    check(workspace.file.read_bytes() == before, "another program's database is not touched")
    workspace.file.unlink()
    workspace.answer("import", work / "partial")
    whole = workspace.file.read_bytes()
    workspace.file.write_bytes(whole[:len(whole) // 2])
    check(workspace.answer("list", notes="was damaged") == "no such run\n", "a new database")
    aside = list(workspace.folder.glob("spd.sqlite.damaged-*/spd.sqlite"))
    check(len(aside) == 1 and aside[0].read_bytes() == whole[:len(whole) // 2], "set aside as it was")
    check(workspace.answer("list") == "no such run\n", "said once")
    workspace.file.write_bytes(whole)
    workspace.write("PRAGMA user_version = 1000")
    newer = workspace.file.read_bytes()
    check(len(workspace.answer("list", notes="opened read-only").splitlines()) == 2, "a newer schema is read")
    done = workspace.run("note", "partial", "y")
    check(done.returncode == 1 and done.stdout == "" and "nothing can be recorded" in done.stderr, f"{done.stderr}")
    check(workspace.file.read_bytes() == newer, "a newer database keeps its bytes")
    workspace.file.unlink()
    workspace.file.symlink_to(work / "elsewhere")
    workspace.refused(3, "symbolic link", "list")


with tempfile.TemporaryDirectory() as name:
    work = Path(name)
    workspace = Workspace(work / "workspace")
    imported = imports(workspace, work)
    make_runs(workspace)
    looks(workspace)
    edits(workspace)
    queries(workspace)
    lives(workspace)
    deletes(workspace, imported)
    busy(workspace)
    full(workspace)
    killed(workspace)
    checked(workspace)
    damaged(work)
    left = sorted(path.name for path in workspace.folder.iterdir() if path.name.startswith(".spd"))
    check(left == [], f"left in the workspace: {left}")
print(f"measured: {checks} checks of spd runs, the database read by Python's sqlite3 {sqlite3.sqlite_version}")
