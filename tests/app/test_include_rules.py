"""The include rules really stop a build: each forbidden #include in a small tree of its own must be refused by name, and the
allowed ones must pass.

    test_include_rules.py CMAKE CHECK_INCLUDES.cmake
"""
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CMAKE, SCRIPT = sys.argv[1:]
FORBIDDEN = [
    ("core/base/a.cpp", "#include <torch/torch.h>"),
    ("core/text/bpe/a.cpp", "#include <ATen/ATen.h>"),
    ("core/data/a.h", '#include "c10/util/Half.h"'),
    ("core/io/a.cpp", "#  include  <torch/version.h>"),
    ("core/model/a.h", "#include <torch/torch.h>"),
    ("core/model/a.cpp", "#include <QString>"),
    ("core/generate/a.cpp", "#include <QtCore/qglobal.h>"),
    ("app/cli/a.cpp", "#include <QCoreApplication>"),
    ("app/workbench/a.cpp", "#include <torch/torch.h>"),
    ("views/a.cpp", "#include <SQLiteCpp/Database.h>"),
    ("core/kernels/a.cpp", "#include <sqlite3.h>"),
    ("core/store/a.h", "#include <SQLiteCpp/Database.h>"),
    ("app/cli/a.cpp", "#include <sqlite3.h>"),
    ("core/data/a.cc", "#include <torch/torch.h>"),
    ("core/text/a.hpp", "#include <c10/util/Half.h>"),
    ("core/model/a.hh", "#include <torch/torch.h>"),
    ("core/model/a.h", '#include "core/model/weights_torch.h"'),
    ("app/cli/a.cpp", "#include <torch/torch.h>"),
    ("app/cli/a.cpp", '#include "core/model/weights_torch.h"'),
    ("core/generate/a.cpp", '#include "app/cli/commands.h"'),
    ("core/io/a.h", '#include "views/shared/plot.h"'),
    ("views/model/a.cpp", '#include "app/workbench/workbench.h"'),
    ("views/runs/a.cpp", '#include "core/store/run_store.h"'),
    ("app/workbench/a.cpp", '#include "core/store/run_store.h"'),
    ("core/io/a.cpp", '#include "../model/causal_lm.h"'),
    ("core/io/a.cpp", '#include "core/base/../model/causal_lm.h"'),
    ("core/model/a.cpp", '#include "tests/support/refusal.h"'),
]
# No folder of spd_base, nor the window, sees a folder of spd_engine.
BASE = ["base", "text", "data", "io", "subspace", "store", "config", "protocol"]
ENGINE = ["model", "kernels", "calibrate", "intervene", "generate", "train", "evaluate", "export", "pipeline"]
FORBIDDEN += [(f"core/{base}/deep/a.cpp", f'#include "core/{engine}/b.h"') for base in BASE for engine in ENGINE]
FORBIDDEN += [(f"{window}/a.h", f"#include <core/{engine}/b.h>") for window in ("views", "app/workbench") for engine in ENGINE]
ALLOWED = [
    ("core/model/a.cpp", "#include <torch/torch.h>"),
    ("core/model/a_torch.h", "#include <ATen/core/Tensor.h>"),
    ("core/base/a.cpp", "#include <filesystem>"),
    ("core/store/a.cpp", "#include <SQLiteCpp/Database.h>"),
    ("core/store/sqlite/a.h", "#include <SQLiteCpp/Database.h>"),
    ("views/a.cpp", "#include <QWidget>"),
    ("views/a.cpp", '#include "core/protocol/message.h"'),
    ("views/a.cpp", '#include "core/io/load_report.h"'),
    ("app/workbench/a.cpp", '#include "views/model/model_page.h"'),
    ("app/cli/a.cpp", '#include "core/pipeline/forward.h"'),
    ("app/cli/a.cpp", '#include "core/store/run_store.h"'),
    ("core/model/a.cpp", '#include "core/model/weights_torch.h"'),
    ("core/model/a_torch.h", '#include "core/model/weights_torch.h"'),
    ("core/pipeline/a.cpp", '#include "core/store/run_store.h"'),
    ("core/train/a.cpp", '#include "core/calibrate/loss.h"'),
    ("core/store/a.cpp", '#include "core/data/corpus_file.h"'),
    ("core/io/a.cpp", "// core/model/ is another target's"),
]


def check(path, line):
    """What the script says about a tree with this one line."""
    with tempfile.TemporaryDirectory() as root:
        file = Path(root, path)
        file.parent.mkdir(parents=True)
        file.write_text(f"#pragma once\n{line}\n", encoding="utf-8")
        return subprocess.run([CMAKE, f"-DSOURCE_DIR={root}", "-P", SCRIPT], capture_output=True, text=True)


def check_all(pairs):
    """One result each: trees with several files would hide which line is refused."""
    with ThreadPoolExecutor(2) as pool:
        return zip(pairs, pool.map(lambda pair: check(*pair), pairs))


for (path, line), result in check_all(FORBIDDEN):
    if result.returncode == 0 or path not in result.stderr:
        sys.exit(f"{path}: {line} was let through\n{result.stderr}")
for (path, line), result in check_all(ALLOWED):
    if result.returncode != 0:
        sys.exit(f"{path}: {line} was refused\n{result.stderr}")
print(f"measured: {len(FORBIDDEN)} forbidden includes refused, {len(ALLOWED)} allowed ones accepted")
