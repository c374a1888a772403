#!/usr/bin/env bash
# Everything from nothing, then every test: packaging/check.sh (same variables as start.sh). Ends non-zero on any failure.
# Order: cheap checks first, then the sanitized build of all that does not link LibTorch, then the release build.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
export HF_HUB_OFFLINE=1 # the references read local folders only

# What failed; the rest is still run, and the script ends non-zero.
failed=()

check_layout() {
    begin "Layout of the sources" ""
    if ! command -v clang-format-14 >/dev/null; then
        failed+=("layout: no clang-format-14")
        finish "not checked: no clang-format-14"
        return
    fi
    local folder folders=() file count=0 wrong=0
    for folder in app core views tests; do
        [ ! -d "$root/$folder" ] || folders+=("$root/$folder")
    done
    while IFS= read -r -d '' file; do
        count=$((count + 1))
        if ! clang-format-14 --dry-run -Werror "$file" 2>/dev/null; then
            echo "    ${file#"$root"/} (clang-format-14 -i mends it)"
            wrong=$((wrong + 1))
        fi
    done < <(find "${folders[@]}" -name '*.cpp' -print0 -o -name '*.h' -print0)
    [ "$count" -gt 0 ] || failed+=("layout: no sources found")
    [ "$wrong" -eq 0 ] || failed+=("layout of $wrong files")
    finish "$wrong of $count files differ from .clang-format"
}

run_tests() { # PRESET
    begin "Tests, preset $1" ""
    (cd "$root" && ctest --preset "$1" -j 2) || failed+=("tests of preset $1")
    finish
}

# Largest differences and counts, out of what the tests printed.
print_measured() {
    local preset
    for preset in asan release; do
        echo
        echo "Measured, preset $preset:"
        awk '/^[0-9]+\/[0-9]+ Test: / {name = $3}
             /^measured: / {sub(/^measured: /, ""); print "  " name ": " $0}
             ' "$root/build/$preset/Testing/Temporary/LastTest.log"
    done
}

install_packages
use_environment full
check_layout
make_sample_model
build asan
run_tests asan
build release
run_tests release
first_look
print_measured

echo
if [ ${#failed[@]} -ne 0 ]; then
    printf 'FAILED: %s\n' "${failed[@]}"
    echo "The lists above name what failed; ctest --preset PRESET --rerun-failed --output-on-failure repeats failed tests."
    exit 1
fi
echo "All tests passed."
