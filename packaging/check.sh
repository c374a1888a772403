#!/usr/bin/env bash
# Everything from nothing, then every test: packaging/check.sh (same variables as start.sh). Ends non-zero on any failure.
# Order: cheap checks first, then the sanitized build of all that does not link LibTorch, then the release build.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
export HF_HUB_OFFLINE=1 # the references read local folders only

check_layout() {
    begin "Layout of the sources" "clang-format-14 -i FILE mends it"
    if ! command -v clang-format-14 >/dev/null; then
        finish "skipped: no clang-format-14"
        return
    fi
    (cd "$root" && git ls-files -z '*.cpp' '*.h' | xargs -0 clang-format-14 --dry-run -Werror)
    finish
}

# run_tests PRESET: a failing test does not keep the other preset from running; the script still ends non-zero.
failed=()
run_tests() {
    begin "Tests, preset $1" ""
    (cd "$root" && ctest --preset "$1" -j 2) || failed+=("$1")
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
    echo "FAILED: tests of preset ${failed[*]}; ctest's list above names them, ctest --preset PRESET --rerun-failed repeats them"
    exit 1
fi
echo "All tests passed."
