#!/usr/bin/env bash
# Make the virtual environment that the project is proven on, from requirements/pins.txt alone.
#   PYTHON=python3.11     interpreter to build on (CPython 3.11)
#   VENV=.venv            where the environment goes
#   TORCH_INDEX_URL=URL   package index with the torch build you want (CPU, CUDA 12.x, ...)
#   MMCV_CUDA=1           also compile mmcv's CUDA operators; needs nvcc and a CUDA build of torch.
#                         The default, CPU operators, is all that this plugin needs on any device;
#                         MMDetection's person detectors need the CUDA ones to run on a GPU.
# A finished environment is recognised by the checksum of its inputs, so a second call does nothing.
# Another TORCH_INDEX_URL or MMCV_CUDA, or another pin of torch, replaces torch and mmcv.
set -euo pipefail
cd "$(dirname "$0")/.."
PINS=requirements/pins.txt
VENV=${VENV:-.venv}
PYTHON=${PYTHON:-$(command -v python3.11 || command -v python3 || true)}
TORCH_INDEX_URL=${TORCH_INDEX_URL:-}
MMCV_CUDA=${MMCV_CUDA:-0}
VERSION='import sys; print("%s %d.%d" % (sys.implementation.name, *sys.version_info[:2]))'

die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
say() { printf 'setup: [%3ds] %s\n' "$SECONDS" "$*"; }
pins() { sed -n "$1" "$PINS" | sed 's/#.*//' | grep -v '^ *$'; }
python() { "$VENV/bin/python" "$@"; }
pip() { python -m pip --quiet --disable-pip-version-check "$@"; }
venv_works() {
    [ "$(python -c "$VERSION" 2>/dev/null)" = 'cpython 3.11' ] && pip --version >/dev/null 2>&1
}
build() { # build PIN [PIP OPTION...]
    say "building $1"
    CFLAGS='-g0 -O2' MAX_JOBS=${MAX_JOBS:-$(nproc)} MMCV_WITH_OPS=1 pip install \
        --no-deps --no-build-isolation --no-binary xtcocotools "$@" || die "$1 did not build; see above"
}

torch=$(pins '/^torch==/p')
mmcv=$(pins '/^onedl-mmcv==/p')
torch_build="$torch from ${TORCH_INDEX_URL:-the default index}, MMCV_CUDA=$MMCV_CUDA"
checksum=$({ cat "$PINS" setup.cfg pyproject.toml tools/setup_env.sh; echo "$torch_build"; } | sha256sum)
stamp=$VENV/.setup-${checksum:0:16}
if [ -e "$stamp" ] && venv_works; then
    say "$VENV is up to date"
    exit 0
fi

[ -n "$PYTHON" ] || die 'no python3 found; install CPython 3.11 or name one: make setup PYTHON=/path/to/python3.11'
version=$("$PYTHON" -c "$VERSION") ||
    die "$PYTHON does not run; name another: make setup PYTHON=/path/to/python3.11"
[ "$version" = 'cpython 3.11' ] ||
    die "$PYTHON is $version, but the pinned stack needs cpython 3.11; name one: make setup PYTHON=/path/to/python3.11 (on another Python, with your own MMPose: pip install -e .)"
"$PYTHON" -c 'import venv, ensurepip' 2>/dev/null ||
    die "$PYTHON has no venv module; install it (Debian: apt install python3.11-venv)"
for tool in "${CC:-gcc}" "${CXX:-g++}"; do
    command -v "${tool%% *}" >/dev/null ||
        die "no compiler '$tool', needed for mmcv's operators; install one (Debian: apt install build-essential)"
done
header=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_paths()["include"])')/Python.h
[ -e "$header" ] || die "no $header, needed to build mmcv; install the Python headers (Debian: apt install python3.11-dev)"
case $MMCV_CUDA in
    # mmcv compiles CUDA operators wherever torch sees a GPU, and stops there where nvcc is missing.
    0) export FORCE_CUDA=0 CUDA_VISIBLE_DEVICES= ;;
    1) export FORCE_CUDA=1
       command -v "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" >/dev/null || command -v nvcc >/dev/null ||
           die 'no nvcc, needed for MMCV_CUDA=1; set CUDA_HOME to your CUDA toolkit, or leave MMCV_CUDA out' ;;
    *) die "MMCV_CUDA is '$MMCV_CUDA', expected 0 or 1" ;;
esac

say "virtual environment $VENV on $version"
rm -f "$VENV"/.setup-*
if ! venv_works; then
    # --clear empties the folder, so it must be ours to empty.
    [ -e "$VENV/pyvenv.cfg" ] || [ -z "$(ls -A "$VENV" 2>/dev/null)" ] ||
        die "$VENV is not a virtual environment; move it away or name another folder: make setup VENV=..."
    "$PYTHON" -m venv --clear "$VENV" || die "could not make $VENV; see above"
fi
wheels=$(mktemp); trap 'rm -f "$wheels"' EXIT
pins '/^# --- wheels/,/^# --- source/p' > "$wheels"
site=$(python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
without_operators=$site/torchvision_without_operators.pth

say "$torch"
index=(${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"})
reinstall=()
if [ "$(cat "$VENV/.torch-build" 2>/dev/null)" != "$torch_build" ]; then
    reinstall=(--force-reinstall)
    rm -f "$VENV/.torch-build" "$without_operators"
    pip install "${index[@]}" "${reinstall[@]}" --no-deps "$torch" ||
        die "$torch did not install; see above, or name another index: make setup TORCH_INDEX_URL=..."
fi
pip install "${index[@]}" "$torch" || die "what $torch needs did not install; see above"
say "$(wc -l < "$wheels") wheels"
pip install --no-deps --only-binary :all: -r "$wheels" || die 'the pinned wheels did not install; see above'
python -c 'import torch' || die 'torch cannot be imported; see above, or name another index: make setup TORCH_INDEX_URL=...'
[ "$MMCV_CUDA" = 0 ] || python -c 'import torch; assert torch.version.cuda' 2>/dev/null ||
    die 'this torch is a CPU build, but MMCV_CUDA=1; name an index with CUDA builds: make setup MMCV_CUDA=1 TORCH_INDEX_URL=...'

# Without --no-build-isolation the builds below would not see torch and numpy: mmcv would silently
# come without its operators, and xtcocotools would be built for another numpy.
for pin in $(pins '/^# --- source/,$p' | grep -v "^$mmcv"); do
    build "$pin"
done
# pip's cache does not know for which torch, or for which device, it holds a wheel of mmcv.
cache=()
[ "$MMCV_CUDA$TORCH_INDEX_URL" = 0 ] || cache=(--no-cache-dir)
build "$mmcv" "${reinstall[@]}" "${cache[@]}"
if ! python -c 'import torch, mmcv._ext' 2>/dev/null; then
    say 'mmcv came without usable operators'
    build "$mmcv" --force-reinstall --no-cache-dir
    python -c 'import torch, mmcv._ext' || die 'mmcv was built, but its operators cannot be imported; see above'
fi
echo "$torch_build" > "$VENV/.torch-build"
pip install --no-deps --no-build-isolation -e . || die 'the plugin did not install; see above'

# torchvision's wheel is linked to CUDA and fails to import beside a CPU build of torch. Its
# C++ operators are not needed (mmcv brings its own), so only their registration is left out.
if ! python -c 'import torchvision' 2>/dev/null; then
    echo 'import sys, types; sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations"))' \
        > "$without_operators"
    python -c 'import torchvision' || die 'torchvision cannot be imported beside this torch; see above'
fi
python -c 'import mmpose.models, mmdet.models, i2l_plugin' ||
    die 'the installed stack cannot be imported; see above'
touch "$stamp"
say 'done'
