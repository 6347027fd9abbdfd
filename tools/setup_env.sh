#!/usr/bin/env bash
# Make the virtual environment that the project is proven on, from requirements/pins.txt alone.
#   PYTHON=python3.11     interpreter to build on (CPython 3.11)
#   VENV=.venv            where the environment goes
#   TORCH_INDEX_URL=URL   package index with the torch build you want (CPU, CUDA 12.x, ...)
# A finished environment is recognised by the checksum of its inputs, so a second call does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
PINS=requirements/pins.txt
VENV=${VENV:-.venv}
PYTHON=${PYTHON:-$(command -v python3.11 || command -v python3 || true)}
CACHED_WHEEL_HINT='without its operators: run `pip cache remove "onedl_mmcv*"`, then make setup'

die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
say() { printf 'setup: [%3ds] %s\n' "$SECONDS" "$*"; }
pins() { sed -n "$1" "$PINS" | sed 's/#.*//' | grep -v '^ *$'; }

stamp=$VENV/.setup-$(cat "$PINS" setup.cfg pyproject.toml "$0" | sha256sum | cut -c1-16)
if [ -e "$stamp" ]; then
    say "$VENV is up to date"
    exit 0
fi

[ -n "$PYTHON" ] || die 'no python3 found; install CPython 3.11 or name one: make setup PYTHON=/path/to/python3.11'
version=$("$PYTHON" -c 'import sys; print("%s %d.%d" % (sys.implementation.name, *sys.version_info[:2]))') ||
    die "$PYTHON does not run; name another: make setup PYTHON=/path/to/python3.11"
[ "$version" = 'cpython 3.11' ] ||
    die "$PYTHON is $version, but the pinned stack needs cpython 3.11; name one: make setup PYTHON=/path/to/python3.11 (on another Python, with your own MMPose: pip install -e .)"
"$PYTHON" -c 'import venv, ensurepip' 2>/dev/null ||
    die "$PYTHON has no venv module; install it (Debian: apt install python3.11-venv)"
for tool in "${CC:-gcc}" "${CXX:-g++}"; do
    command -v "$tool" >/dev/null || die "no compiler '$tool', needed for mmcv's operators; install one (Debian: apt install build-essential)"
done
header=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')/Python.h
[ -e "$header" ] || die "no $header, needed to build mmcv; install the Python headers (Debian: apt install python3.11-dev)"

say "virtual environment $VENV on $version"
rm -f "$VENV"/.setup-*
[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
pip() { "$VENV/bin/python" -m pip --quiet --disable-pip-version-check "$@"; }
wheels=$(mktemp); trap 'rm -f "$wheels"' EXIT
pins '/^# --- wheels/,/^# --- source/p' > "$wheels"

say 'torch'
pip install ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} "$(pins '/^torch==/p')" ||
    die 'torch did not install; see above, or name another index: make setup TORCH_INDEX_URL=...'
say "$(wc -l < "$wheels") wheels"
pip install --no-deps --only-binary :all: -r "$wheels" || die 'the pinned wheels did not install; see above'
# Without --no-build-isolation the builds below would not see torch and numpy: mmcv would silently
# come without its operators, and xtcocotools would be built for another numpy.
for pin in $(pins '/^# --- source/,$p'); do
    say "building $pin"
    CFLAGS='-g0 -O2' MAX_JOBS=${MAX_JOBS:-$(nproc)} pip install --no-deps --no-build-isolation --no-binary xtcocotools "$pin" ||
        die "$pin did not build; see above"
done
pip install --no-deps --no-build-isolation -e . || die 'the plugin did not install; see above'

# torchvision's wheel is linked to CUDA and fails to import beside a CPU build of torch. Its
# C++ operators are not needed (mmcv brings its own), so only their registration is left out.
if ! "$VENV/bin/python" -c 'import torchvision' 2>/dev/null; then
    site=$("$VENV/bin/python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
    echo 'import sys, types; sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations"))' \
        > "$site/torchvision_without_operators.pth"
    "$VENV/bin/python" -c 'import torchvision' || die 'torchvision cannot be imported beside this torch'
fi
"$VENV/bin/python" -c 'import torch, mmcv._ext' 2>/dev/null || die "mmcv was built $CACHED_WHEEL_HINT"
"$VENV/bin/python" -c 'import mmpose.models, mmdet.models, i2l_plugin' ||
    die 'the installed stack cannot be imported; see above'
touch "$stamp"
say 'done'
