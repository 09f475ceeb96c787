#!/bin/bash
# protect.sh [--only PART]... [--machine v1|bare]: what jobs cost the foreground under lull and under
# what it is held against, and what they get done meanwhile. Prints a table. README.md says what the
# parts are.
#
# LULL_PROGRAM     the optimised lull, with lull-keeper and bench/ beside it
# LULL_BENCH_DIR   where the scratch folder and its disk go (/var/tmp: a real disk); 2 GB
# LULL_BENCH_ROUNDS how often each way is measured (5)
# LULL_BENCH_WAYS  of starting a job, beside alone: "lull nobody" (all that exist here)
# LULL_BENCH_COST  for how many seconds the cost is measured (60)
# LULL_BENCH_SEED  of the pauses before onsets (a new one each time); the heading says it
# LULL_BENCH_QUICK 1: fewer and shorter rounds; shows that it works, proves no figure
set -euo pipefail
export LC_ALL=C  # a decimal point, in awk and printf

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=bench/lib.sh
source "$here/lib.sh"
# shellcheck source=bench/instances.sh
source "$here/instances.sh"
# shellcheck source=bench/protect_jobs.sh
source "$here/protect_jobs.sh"
# shellcheck source=bench/protect_cpu.sh
source "$here/protect_cpu.sh"
# shellcheck source=bench/protect_disk.sh
source "$here/protect_disk.sh"
# shellcheck source=bench/protect_time.sh
source "$here/protect_time.sh"
# shellcheck source=bench/protect_cost.sh
source "$here/protect_cost.sh"

parts=(C2 C1 I1 sparse I2 I4 onoff floor latency overhead cost)
rounds=${LULL_BENCH_ROUNDS:-5} seconds=5 settle=1.5 onsets=10 on_seconds=2 off_seconds=4 pairs=9
cost_seconds=${LULL_BENCH_COST:-60}
if [[ ${LULL_BENCH_QUICK:-0} == 1 ]]; then
  rounds=2 seconds=2 settle=1 onsets=2 pairs=2 cost_seconds=5
fi

seed=${LULL_BENCH_SEED:-$RANDOM}
RANDOM=$seed

monotonic_us() { awk '{ printf "%.0f\n", $1 * 1000000 }' /proc/uptime; }

# on_machine SHAPE CMD...: takes this shell's place with CMD, on a machine that has only cgroup v1, or
# no cgroup at all. For this process and its children only; as root.
on_machine() {
  local hidden
  case $1 in
    v1) hidden=/sys/fs/cgroup/unified ;;
    bare) hidden=/sys/fs/cgroup ;;
    *) die "no machine $1: v1 or bare" ;;
  esac
  # shellcheck disable=SC2016  # the inner shell's
  exec unshare --mount bash -euc 'umount -R "$1"; exec "${@:2}"' on_machine "$hidden" "${@:2}"
}

clean_up() {
  stop_jobs
  remove_group
  remove_disk
  [[ -z $memory ]] || rm -rf "$memory"
  [[ -z $work ]] || rm -rf "$work"
}

main() {
  local part machine='' wanted=() options=()
  while (( $# > 0 )); do
    case $1 in
      --only) wanted+=("${2:?--only PART}") options+=(--only "$2") ;;
      --machine) machine=${2:?--machine SHAPE} ;;
      *) die "no option $1" ;;
    esac
    shift 2
  done
  (( ${#wanted[@]} == 0 )) || parts=("${wanted[@]}")
  for part in "${parts[@]}"; do
    [[ $(type -t "measure_$part") == function ]] || die "no part $part"
  done
  [[ -z $machine ]] || on_machine "$machine" "$0" "${options[@]}"
  trap clean_up EXIT
  trap 'exit 130' INT TERM
  work=$(mktemp -d "${LULL_BENCH_DIR:-/var/tmp}/lull-bench.XXXXXX")
  memory=$(mktemp -d /dev/shm/lull-bench.XXXXXX)
  chmod 755 "$work" "$memory"
  copy_programs
  (( EUID != 0 )) || make_group
  loops_per_us=$("$work/bin/bench_foreground" calibrate)
  heading "$work" 'ratio to alone' 'as measured'
  note "seed $seed"
  for part in "${parts[@]}"; do "measure_$part"; done
  (( disturbed == 0 )) || note "$disturbed rounds began while somebody else used the machine"
  finish
}

main "$@"
