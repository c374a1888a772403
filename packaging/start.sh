#!/usr/bin/env bash
# From a bare Debian 12 or Ubuntu 24.04 (root or sudo) to the built program and a first look at it:
#
#     packaging/start.sh
#
# installs what is missing (packaging/apt-packages.txt, and packaging/requirements.txt in a virtual environment of its own),
# builds preset `release`, makes the sample model, and lets it answer five GSM8K questions. Where there is a display it ends in the
# window, elsewhere it runs experiments/quickstart.toml. Steps that are done are skipped.
#   SPD_LIBTORCH=DIR   build with this LibTorch (>= 2.6, CPU or CUDA) instead of the one in the torch wheel
#   XDG_DATA_HOME      the workspace is $XDG_DATA_HOME/spd-workbench (else ~/.local/share/spd-workbench)
#   XDG_CACHE_HOME     the virtual environment is made in $XDG_CACHE_HOME/spd-workbench (else ~/.cache/spd-workbench)
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

install_packages
if [ -n "${SPD_LIBTORCH:-}" ]; then use_environment sample; else use_environment full; fi
build release spd spd-attach spd-workbench
make_sample_model
first_look
has_display=${DISPLAY:-}${WAYLAND_DISPLAY:-}
[ -n "$has_display" ] || quickstart

spd="$root/build/release/bin/spd"
cat <<END

Ready. The workspace is $workspace
  ${spd%spd}spd-workbench   the window
  $spd doctor         what this machine can do
  $spd --help         the commands
  less $root/README.md    a tour of five minutes
END

if [ -n "$has_display" ]; then
    echo "Opening the window. Closing it stops nothing that runs."
    exec "$root/build/release/bin/spd-workbench"
fi
