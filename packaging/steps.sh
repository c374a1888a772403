# Sourced by start.sh and check.sh: the steps from a bare Debian 12 or Ubuntu 24.04 to built programs and a sample model.
# Each step skips what is done. A step that fails ends the script and says what to do next.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ -z "${SPD_LIBTORCH:-}" ] || SPD_LIBTORCH=$(realpath -m "$SPD_LIBTORCH") # cmake would take it from the clone
export PYTHONUTF8=1 # texts are UTF-8 in any locale
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 # a second clone finds what the first compiled
workspace="${XDG_DATA_HOME:-$HOME/.local/share}/spd-workbench"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/spd-workbench"
step_title=""
step_hint=""

# begin TITLE HINT: the hint is printed when anything before `finish` fails.
begin() {
    step_title=$1
    step_hint=$2
    step_start=$(date +%s%N)
    echo "==> $step_title"
}

finish() {
    local milliseconds=$((($(date +%s%N) - step_start) / 1000000))
    printf '    %s (%d.%01d s)\n' "${1:-done}" $((milliseconds / 1000)) $((milliseconds % 1000 / 100))
    step_title=""
}

on_exit() {
    local code=$?
    if [ "$code" -ne 0 ] && [ -n "$step_title" ]; then
        printf '\nFailed: %s\nWhat to do: %s\n' "$step_title" "$step_hint" >&2
    fi
}
trap on_exit EXIT

missing_packages() {
    local package
    sed 's/#.*//' "$root/packaging/apt-packages.txt" | while read -r package; do
        [ -n "$package" ] || continue
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
    done
}

install_packages() {
    begin "System packages" "install the packages named in packaging/apt-packages.txt, then start again"
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        finish "not a Debian or Ubuntu system: going on with what is there (packaging/apt-packages.txt names what is needed)"
        return
    fi
    local packages command
    mapfile -t packages < <(missing_packages)
    if [ ${#packages[@]} -eq 0 ]; then
        finish "all there"
        return
    fi
    echo "    installing: ${packages[*]}"
    command="apt-get install -y --no-install-recommends ${packages[*]}"
    step_hint="look at apt's message above; the command was: $command"
    if [ "$(id -u)" -eq 0 ]; then
        as_root=()
    elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
        as_root=(sudo)
    else
        step_hint="as root, run: apt-get update && $command"
        return 1
    fi
    local log
    log=$(mktemp)
    { "${as_root[@]}" apt-get update &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"; } \
        >"$log" 2>&1 || {
        cat "$log"
        return 1
    }
    rm -f "$log"
    finish
}

# environment_folder FILE...: where the virtual environment made from these requirement files lies. The name holds a hash
# of them and of Python's version, so clones that want the same share one, and a change makes a new one.
environment_folder() {
    local hash
    hash=$({ python3 -V; (cd "$root/packaging" && cat "$@"); } | sha256sum | cut -c1-12)
    echo "$cache/venv-$hash"
}

# The marker is written last: without it the environment is half-made and is made anew.
is_complete() { [ -e "$1/complete" ] && [ -x "$1/bin/python" ]; }

make_environment() { # FOLDER REQUIREMENTS
    local folder=$1 requirements=$2
    rm -rf "$folder"
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --no-input -r "$root/packaging/$requirements"
    "$folder/bin/python" -m pip install --quiet --no-input --no-deps -r "$root/packaging/requirements-no-deps.txt"
    touch "$folder/complete"
}

check_space() { # FOLDER GIGABYTES
    local free
    free=$(df -Pk "$1" | awk 'NR == 2 {print int($4 / 1048576)}')
    if [ "$free" -lt "$2" ]; then
        step_hint="$1 has $free GiB free, $2 are needed: make room, or set XDG_CACHE_HOME to a folder on a larger disk"
        return 1
    fi
}

# use_environment full|sample: sets $python. `sample` holds what the sample model needs and is enough where SPD_LIBTORCH
# names a LibTorch; a complete full one is taken instead when it is there.
use_environment() {
    begin "Python environment" "look at pip's message above (no network? a proxy or mirror goes into pip's configuration or PIP_* variables), then start again: it goes on from here"
    local requirements=requirements.txt space=12 folder
    folder=$(environment_folder requirements.txt requirements-sample-model.txt requirements-no-deps.txt)
    if [ "$1" = sample ] && ! is_complete "$folder"; then
        requirements=requirements-sample-model.txt
        space=1
        folder=$(environment_folder requirements-sample-model.txt requirements-no-deps.txt)
    fi
    python=$folder/bin/python
    if is_complete "$folder"; then
        finish "$folder is there"
        return
    fi
    mkdir -p "$cache"
    check_space "$cache" "$space"
    echo "    making $folder from packaging/$requirements, up to $space GiB with what pip downloads"
    exec {lock}>"$folder.lock"
    flock "$lock" # another clone may be making the same one
    is_complete "$folder" || make_environment "$folder" "$requirements"
    exec {lock}>&-
    finish
}

# As many compilers as there are processors, and 2 GiB of free memory for each: torch's headers need that much.
compile_jobs() {
    local processors memory
    processors=$(nproc)
    memory=$(awk '/^MemAvailable:/ {print int($2 / 2097152)}' /proc/meminfo)
    if [ "$memory" -lt 1 ]; then memory=1; fi
    echo $((memory < processors ? memory : processors))
}

check_libtorch() {
    [ -z "${SPD_LIBTORCH:-}" ] || [ -e "$SPD_LIBTORCH/lib/libtorch_cpu.so" ] || {
        step_hint="SPD_LIBTORCH must name the folder that holds LibTorch's include/ and lib/; $SPD_LIBTORCH/lib/libtorch_cpu.so is not there"
        return 1
    }
}

# build PRESET [TARGET ...]
build() {
    local preset=$1
    shift
    begin "Build, preset $preset" "look at the message above; 'rm -rf build/$preset' starts from nothing"
    check_libtorch
    cd "$root"
    mkdir -p "build/$preset"
    export SPD_PYTHON=$python SPD_LIBTORCH=${SPD_LIBTORCH:-}
    cmake --preset "$preset" >"build/$preset/configure.log" 2>&1 || {
        cat "build/$preset/configure.log"
        return 1
    }
    cmake --build --preset "$preset" -j "$(compile_jobs)" ${1:+--target "$@"}
    finish
}

make_sample_model() {
    begin "Sample model" "run it alone to see more: $python packaging/make_sample_model.py --force"
    mkdir -p "$workspace"
    "$python" "$root/packaging/make_sample_model.py" --workspace "$workspace" | sed 's/^/    /'
    finish
}

# Five questions of GSM8K answered by the sample model, shown beside their prompts.
first_look() {
    begin "First look: spd generate on five GSM8K questions" "run the command above by hand; build/release/bin/spd doctor tells what this machine lacks"
    local folder=$workspace/first-look
    mkdir -p "$folder"
    "$python" "$root/packaging/first_look.py" prompts "$root/resources/datasets/gsm8k/test.jsonl" 5 >"$folder/prompts.jsonl"
    local command=("$root/build/release/bin/spd" generate smollm2-135m-instruct --prompts "$folder/prompts.jsonl"
        --out "$folder/completions.jsonl" --chat --greedy --max-new-tokens 160 --overwrite)
    echo "    ${command[*]}"
    "${command[@]}"
    "$python" "$root/packaging/first_look.py" show "$folder/prompts.jsonl" "$folder/completions.jsonl"
    finish
}

# The quickstart experiment, and its adapter loaded by peft, which is another program than the one that wrote it.
quickstart() {
    begin "Quickstart: self-policy distillation of the sample model" "run the command above by hand; it goes on where it was stopped"
    local spd=$root/build/release/bin/spd command adapter
    command=("$spd" run "$root/experiments/quickstart.toml")
    echo "    ${command[*]}"
    "${command[@]}" | tee "$workspace/quickstart.txt"
    adapter=$(sed -n 's/^adapter of spd-s42: //p' "$workspace/quickstart.txt")
    if "$python" -c 'import peft' 2>/dev/null; then
        HF_HUB_OFFLINE=1 "$python" -W ignore "$root/packaging/verify_adapter.py" "$spd" "$workspace/models/smollm2-135m-instruct" "$adapter"
    else
        echo "    not verified by peft: it is not in the environment that SPD_LIBTORCH asks for"
    fi
    finish
}
