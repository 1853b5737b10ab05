#!/usr/bin/env bash
# A run on a Ray cluster that stands already, through Ray Jobs: it goes on when this terminal is closed.
#   RAY_API_SERVER_ADDRESS=http://head:8265 jobs/clusters/submit.sh s3://speech/corpus.jsonl --out s3://speech/runs/corpus
# `ray job logs ID --follow` shows how far it is, `ray job stop ID` interrupts it; submitted again, it goes on.
set -euo pipefail
cd "$(dirname "$0")/../.."

# FILL IN: where the head's dashboard listens, unless the environment says.
export RAY_API_SERVER_ADDRESS=${RAY_API_SERVER_ADDRESS:-http://127.0.0.1:8265}

# The driver has to be on the head: it goes with its node.
exec ray job submit ${NO_WAIT:+--no-wait} --runtime-env jobs/clusters/runtime_env.yaml -- \
    python3 -m jobs.cli annotate "$@" --ray-address auto
