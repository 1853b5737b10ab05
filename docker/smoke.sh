#!/usr/bin/env bash
# Bring the cluster of compose.yaml up, annotate examples/clips through it into MinIO, count the rows, take it down.
set -euo pipefail
cd "$(dirname "$0")"
RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export RAY_AUTH_TOKEN
trap 'docker compose --profile run down --volumes' EXIT
docker compose build head
docker compose up --detach --wait head worker minio
docker compose run --rm smoke
