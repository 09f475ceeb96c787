# The parts of protect.sh about what a job and its machine pay for lull: sourced by it.
# shellcheck shell=bash disable=SC2154  # what protect.sh sets

# --- what a job pays --------------------------------------------------------------------------------

# took VARIANT CMD...: how many us, as a job that is started so, in the newest instance.
took() {
  local from=${EPOCHREALTIME/./}
  (take_way "$@") < /dev/null > /dev/null 2>> "$instance/log" || die "$2 fails"
  echo $((${EPOCHREALTIME/./} - from))
}

# overhead WHAT CMD...: a row for each of lull's ways, of CMD's time under it to its time plain.
overhead() {
  local what=$1 variant pair
  shift
  rm -f "$memory"/*.*
  for (( pair = 0; pair < pairs; pair++ )); do
    for variant in plain "${variants[@]}"; do
      await_quiet
      new_jobs "$variant"  # not in the $( ): it counts them
      keep "$variant.us" "$(took "$variant" "$@")"
    done
  done
  for variant in "${variants[@]}"; do
    paired "$memory/$variant.us" "$memory/plain.us" > "$memory/ratio"
    row "$what, $(called "$variant")" "$(spread "$memory/ratio")" \
      "$(median "$memory/$variant.us") us" '<= 1.02'
  done
}

measure_overhead() {
  our_ways
  section "overhead: the time of a job that has the machine to itself, to its time without lull; $pairs pairs"
  overhead 'computing' awk 'BEGIN { for (i = 0; i < 15e7; ++i) sum += i; print sum }'
  make_disk || return 0
  use_scheduler none || return 0
  # shellcheck disable=SC2016  # the inner shell's
  overhead 'reading' sh -c 'for n in 1 2 3 4; do dd if="$0" of=/dev/null bs=256k iflag=direct; done' "$disk"
  mount_disk
  # shellcheck disable=SC2016
  overhead 'durable writing' sh -euc 'folder=$(mktemp -d "$0/XXXXXX")
    for n in $(seq 1500); do dd if=/dev/zero of="$folder/$((n % 4))" bs=256k count=16 conv=fsync; done
    rm -r "$folder"' "$mounted"
  unmount_disk
  restore_schedulers
}

# --- what lull itself uses --------------------------------------------------------------------------

# usage: "SWITCHES CPU_NS" so far of lull and its keepers, all threads.
usage() {
  local pids pid
  mapfile -t pids < <(
    printf '%s\n' "${jobs[@]}"
    for pid in "${jobs[@]}"; do pgrep -P "$pid" -x lull-keeper || true; done
  )
  for pid in "${pids[@]}"; do
    cat "/proc/$pid"/task/*/status "/proc/$pid"/task/*/schedstat
  done | awk '/ctxt_switches/ { switches += $2 } NF == 3 && /^[0-9]/ { ns += $1 }
    END { printf "%d %d\n", switches, ns }'
}

# usage_rows SECONDS VARIANT SWITCHES PERCENT: two rows, their goals, over SECONDS from now.
usage_rows() {
  local before after switches percent
  before=$(usage)
  pause "$1"
  after=$(usage)
  read -r switches percent < <(awk -v s="$1" '
    NR == 1 { switches = $1; ns = $2 }
    END { printf "%.1f %.3f\n", ($1 - switches) / s, ($2 - ns) / s / 1e7 }' <<< "$before"$'\n'"$after")
  row "switches/s, $(called "$2")" "$switches" '' "${3:+<= $3}"
  row "% of a core, $(called "$2")" "$percent" '' "${4:+<= $4}"
}

measure_cost() {
  local variant others
  our_ways
  section "cost of lull and its keeper over $cost_seconds s: a spinning job and no foreground"
  for variant in "${variants[@]}"; do
    await_quiet
    start_jobs "$variant" 1 "$work/bin/bench_job" spin 300 %P
    pause 3
    usage_rows "$cost_seconds" "$variant" 12 0.3
    stop_jobs
  done
  section 'the same while a foreground comes and goes each second'
  for variant in "${variants[@]}"; do
    await_quiet
    start_jobs "$variant" 1 "$work/bin/bench_job" spin 300 %P
    (while :; do "$work/bin/bench_foreground" spin 2 1 > /dev/null; pause 1; done) &
    others=$!
    pause 3
    usage_rows "$((cost_seconds / 2))" "$variant" 25 ''
    kill "$others"
    wait "$others" 2> /dev/null || true
    stop_jobs
  done
  section 'a reader beside random reads that never stop, none'
  make_disk || return 0
  use_scheduler none || return 0
  for variant in "${variants[@]}"; do
    await_quiet
    start_jobs "$variant" 1 "$work/bin/bench_job" seqread "$disk" 300 %P
    "$work/bin/bench_foreground" randread "$disk" "$((cost_seconds + 5))" > /dev/null &
    others=$!
    pause 3
    usage_rows "$cost_seconds" "$variant" 80 1
    stop_jobs
    wait "$others"
  done
  restore_schedulers
}
