"""The include rules really stop a build: each forbidden #include in a small tree of its own must be refused by name, and the
allowed ones must pass.

    test_include_rules.py CMAKE CHECK_INCLUDES.cmake
"""
import subprocess
import sys
import tempfile
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
]
ALLOWED = [
    ("core/model/a.cpp", "#include <torch/torch.h>"),
    ("core/model/a_torch.h", "#include <ATen/core/Tensor.h>"),
    ("core/base/a.cpp", "#include <filesystem>"),
    ("core/store/a.cpp", "#include <SQLiteCpp/Database.h>"),
    ("views/a.cpp", "#include <QWidget>"),
]


def check(path, line):
    """What the script says about a tree with this one line."""
    with tempfile.TemporaryDirectory() as root:
        file = Path(root, path)
        file.parent.mkdir(parents=True)
        file.write_text(f"#pragma once\n{line}\n", encoding="utf-8")
        return subprocess.run([CMAKE, f"-DSOURCE_DIR={root}", "-P", SCRIPT], capture_output=True, text=True)


for path, line in FORBIDDEN:
    result = check(path, line)
    if result.returncode == 0 or path not in result.stderr:
        sys.exit(f"{path}: {line} was let through\n{result.stderr}")
for path, line in ALLOWED:
    result = check(path, line)
    if result.returncode != 0:
        sys.exit(f"{path}: {line} was refused\n{result.stderr}")
print(f"measured: {len(FORBIDDEN)} forbidden includes refused, {len(ALLOWED)} allowed ones accepted")
