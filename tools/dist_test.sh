#!/usr/bin/env bash
# bash tools/dist_test.sh CONFIG CHECKPOINT NUM_PROCESSES [test.py options]
# Several machines: NNODES, NODE_RANK, MASTER_ADDR and PORT as torch.distributed.run takes them.
set -euo pipefail
[ $# -ge 3 ] || { echo "usage: $0 CONFIG CHECKPOINT NUM_PROCESSES [options]" >&2; exit 2; }
config=$1 checkpoint=$2 processes=$3
shift 3
if [ "${NNODES:-1}" = 1 ] && [ -z "${PORT:-}" ]; then
    meeting=(--standalone) # on a free port
else
    meeting=(--nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}"
        --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}")
fi
exec "${PYTHON:-python}" -m torch.distributed.run "${meeting[@]}" --nproc_per_node="$processes" \
    "$(dirname "$0")/test.py" "$config" "$checkpoint" --launcher pytorch "$@"
