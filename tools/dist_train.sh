#!/usr/bin/env bash
# bash tools/dist_train.sh CONFIG NUM_PROCESSES [train.py options]: one process a GPU, or a CPU share.
# Several machines: NNODES, NODE_RANK, MASTER_ADDR and PORT as torch.distributed.run takes them.
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: $0 CONFIG NUM_PROCESSES [options]" >&2; exit 2; }
config=$1 processes=$2
shift 2
if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
    meeting=(--standalone) # on a free port
else
    meeting=(--nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}"
        --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}")
fi
exec "${PYTHON:-python}" -m torch.distributed.run "${meeting[@]}" --nproc_per_node="$processes" \
    "$(dirname "$0")/train.py" "$config" --launcher pytorch "$@"
