#!/usr/bin/env bash
# speechcraft on Slurm: a Ray head on the first node of the job, a Ray worker on each of the others.
#   cp jobs/clusters/slurm.sh my-run.sh     # fill in what is marked FILL IN
#   sbatch my-run.sh
# Requeued (time limit, preemption, a lost node) it goes on where it was. docs/cluster.md says more.
#
# FILL IN: what one node gives, and how long. One task a node: it is Ray that starts the processes.
#SBATCH --job-name=speechcraft
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=64G
#SBATCH --time=24:00:00
#SBATCH --output=%x-%j.log
# For GPUs take away one # of the next two lines:
##SBATCH --gpus-per-node=4
##SBATCH --partition=gpu
#
# Leave as it is: told three minutes before the end, goes back into the queue, outlives a lost worker node.
#SBATCH --signal=B:USR1@180
#SBATCH --requeue
#SBATCH --no-kill
#SBATCH --open-mode=append

set -euo pipefail

# FILL IN: the Python environment speechcraft is installed in, at the same path on every node.
VENV=${VENV:-$HOME/speechcraft-env} # not ENVIRONMENT: Slurm sets that to BATCH
# FILL IN: what is annotated, and the run directory: on a file system all nodes see, or s3://.
SPEECH=${SPEECH:-/shared/speech}
RUN=${RUN:-/shared/runs/speech}
# FILL IN: the rest of the command, such as --profile speechcraft or --job job.yaml.
OPTIONS=(--profile embedded)

export PATH="$VENV/bin:$PATH" RAY_USAGE_STATS_ENABLED=0
# Who knows the token may run what he likes on these nodes as this user: one for each job, told to its steps alone.
RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export RAY_AUTH_MODE=token RAY_AUTH_TOKEN
# Two jobs of one user on one node must not meet: neither in a folder nor at a port.
PORT=$((20000 + SLURM_JOB_ID % 10000))
TEMPORARY=/tmp/ray-$SLURM_JOB_ID
# Actors exchange shard numbers, so Ray's own store of objects may be small.
NODE=(--num-cpus "${SLURM_CPUS_PER_TASK:-1}" --num-gpus "${SLURM_GPUS_ON_NODE:-0}" --temp-dir "$TEMPORARY"
    --object-store-memory 200000000 --min-worker-port 0 --max-worker-port 0 --block)

annotate=
again=
steps=()

# Ask the run to end; it takes seconds, and every finished shard stays.
interrupt() {
    again=$1
    if [ -n "$annotate" ]; then kill -TERM "$annotate" 2>/dev/null || true; else exit 130; fi
}

take_down() {
    if [ ${#steps[@]} -gt 0 ]; then
        kill -TERM "${steps[@]}" 2>/dev/null || true
        wait "${steps[@]}" || true
    fi
    steps=()
    rm -rf "$TEMPORARY"
}

trap 'interrupt requeue' USR1
trap 'interrupt ""' TERM INT
trap take_down EXIT

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
ip=$(srun --nodes=1 --ntasks=1 --nodelist="$head" \
    python3 -c 'import ray.util; print(ray.util.get_node_ip_address())')
echo "$(date -Is) start ${SLURM_RESTART_COUNT:-0} on ${#nodes[@]} nodes, head $head at $ip:$PORT"

srun --nodes=1 --ntasks=1 --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --nodelist="$head" \
    ray start --head --node-ip-address="$ip" --port="$PORT" --include-dashboard=false "${NODE[@]}" &
steps+=($!)
python3 -m jobs.clusters.wait 1 --address "$ip:$PORT"
if [ ${#nodes[@]} -gt 1 ]; then
    srun --nodes=$((${#nodes[@]} - 1)) --ntasks=$((${#nodes[@]} - 1)) --ntasks-per-node=1 \
        --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --exclude="$head" --no-kill --wait=0 --kill-on-bad-exit=0 \
        ray start --address="$ip:$PORT" "${NODE[@]}" &
    steps+=($!)
    python3 -m jobs.clusters.wait "${#nodes[@]}" --address "$ip:$PORT"
fi

RAY_ADDRESS=$ip:$PORT speechcraft annotate "$SPEECH" --out "$RUN" "${OPTIONS[@]}" --ray-address auto &
annotate=$!
while :; do # a signal ends `wait` before the run has ended
    code=0
    wait "$annotate" || code=$?
    kill -0 "$annotate" 2>/dev/null || break
done
echo "$(date -Is) speechcraft annotate ended with $code"
if [ "$again" = requeue ] && [ "$code" -ge 128 ]; then
    take_down
    scontrol requeue "$SLURM_JOB_ID" # which ends this script too
fi
exit "$code"
