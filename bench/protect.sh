#!/bin/bash
# protect.sh [--only PART]: what jobs cost the foreground under lull and under what it is held against,
# and what they get done meanwhile. Prints a table. README.md says what the parts are.
#
# LULL_PROGRAM     the optimised lull, with lull-keeper and bench/ beside it
# LULL_BENCH_DIR   where the scratch folder and its disk go (/var/tmp: a real disk); 2 GB
# LULL_BENCH_ROUNDS how often each way is measured (7)
# LULL_BENCH_COST  for how many seconds the cost is measured (60)
# LULL_BENCH_SEED  of the pauses before onsets (a new one each time); the heading says it
# LULL_BENCH_QUICK 1: fewer and shorter rounds; shows that it works, proves no figure
set -euo pipefail
export LC_ALL=C  # a decimal point, in awk and printf

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=bench/lib.sh
source "$here/lib.sh"
# shellcheck source=bench/protect_jobs.sh
source "$here/protect_jobs.sh"
# shellcheck source=bench/protect_cpu.sh
source "$here/protect_cpu.sh"
# shellcheck source=bench/protect_disk.sh
source "$here/protect_disk.sh"
# shellcheck source=bench/protect_time.sh
source "$here/protect_time.sh"

parts=(C2 C1 duty I1 sparse I2 onoff latency overhead cost I4)
rounds=${LULL_BENCH_ROUNDS:-7} seconds=6 settle=1.5 onsets=10 on_seconds=2 off_seconds=4 cycles=4 pairs=9 cost_seconds=${LULL_BENCH_COST:-60}
if [[ ${LULL_BENCH_QUICK:-0} == 1 ]]; then
  rounds=2 seconds=2 settle=1 onsets=2 cycles=1 pairs=2 cost_seconds=5
fi

seed=${LULL_BENCH_SEED:-$RANDOM}
RANDOM=$seed

monotonic_us() { awk 'NR == FNR { print int($1 * 1000000) }' /proc/uptime; }

# resumes FILE: of the onsets in FILE, how many ms after its end a job had 90 % of the rate back that
# it had in the second before, over 100 ms. What did not come back within its time counts as all of it.
resumes() {
  local before after
  while read -r seen; do
    before=$(done_between "$(( $(saw from_us) - 1000000 ))" "$(saw from_us)")
    after=$(saw to_us)
    awk -v end="$after" -v full="$before" -v most="$off_seconds" '
      { at[NR] = $1; work[NR] = $2 }
      END {
        for (i = j = 1; i <= NR; ++i) {
          if (at[i] < end) continue
          while (j < NR && at[j] < at[i] + 100000) ++j
          if (at[j] - at[i] < 100000) break
          if ((work[j] - work[i]) * 1e6 / (at[j] - at[i]) >= 0.9 * full) {
            print (at[i] - end) / 1000
            exit
          }
        }
        print most * 1000
      }' "$progress"/*
  done < "$1"
}

latency_rows() {
  if [[ -s $memory/yield ]]; then
    row "ms to yield, $(called "$1")" "$(spread "$memory/yield")" "$(grep -c . "$memory/yield") onsets" '<= 150'
  else
    note "no onset found $(called "$1") at ease: the machine was busy all the time"
  fi
  row "ms to resume, $(called "$1")" "$(spread "$memory/resume")" '' '<= 1000'
}

measure_latency() {
  measure_latency_cpu
  measure_latency_disk
}

clean_up() {
  stop_jobs
  remove_group
  remove_disk
  [[ -z $memory ]] || rm -rf "$memory"
  [[ -z $work ]] || rm -rf "$work"
}

main() {
  local part
  while (( $# > 0 )); do
    case $1 in
      --only) parts=("${2:?--only PART}"); shift ;;
      *) die "no option $1" ;;
    esac
    shift
  done
  for part in "${parts[@]}"; do
    [[ $(type -t "measure_$part") == function ]] || die "no part $part"
  done
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
