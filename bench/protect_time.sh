# The parts of protect.sh that follow a job through time, and what lull itself uses: sourced by it.
# shellcheck shell=bash disable=SC2154  # what protect.sh sets

# lull's ways that exist here.
our_ways() {
  ours=(lull)
  (( EUID != 0 )) || ours+=(nobody)
}

reader() { start_jobs "$1" 1 "$work/bin/bench_job" seqread "$disk" 300 %P; }

# A foreground that comes and goes. Its off time belongs to the job, and so does a little of the rest.
measure_onoff() {
  local variant cycle
  our_ways
  section "on and off: random reads 3 s on, 7 s off beside a sequential reader, none; $cycles cycles"
  make_disk || return 0
  use_scheduler none || return 0
  rm -f "$memory"/*.*
  for (( cycle = 0; cycle < cycles; cycle++ )); do
    alone_rate 1 "$work/bin/bench_job" seqread "$disk" 300 %P > "$memory/rate"
    for variant in "${ours[@]}"; do
      await_quiet
      keep "$variant.full" "$(< "$memory/rate")"
      reader "$variant"
      pause "$settle"
      foreground randread "$disk" 3
      pause 7
      foreground randread "$disk" "$((2 * seconds))"
      stop_jobs
      keep "$variant.off" "$(done_between "$(($(saw from_us) - 7000000))" "$(saw from_us)")"
      keep "$variant.floor" "$(done_between "$(saw from_us)" "$(saw to_us)")"
    done
  done
  for variant in "${ours[@]}"; do
    paired "$memory/$variant.off" "$memory/$variant.full" > "$memory/ratio"
    row "harvest of off, $(called "$variant")" "$(spread "$memory/ratio")" '' '>= 0.92'
    paired "$memory/$variant.floor" "$memory/$variant.full" > "$memory/ratio"
    row "left while on, $(called "$variant")" "$(spread "$memory/ratio")" '' '>= 0.01'
  done
  restore_schedulers
}

# Onset to the first 20 ms in which the job has less than a fifth of what it had before.
yields() {
  while read -r seen; do
    awk -v from="$(saw from_us)" -v to="$(saw to_us)" \
      -v full="$(done_between "$(( $(saw from_us) - 1000000 ))" "$(saw from_us)")" '
      then && $1 > from && ($2 - work) * 1e6 / ($1 - then) < 0.2 * full {
        print (then > from ? then - from : 0) / 1000
        found = 1
        exit
      }
      { then = $1; work = $2 }
      END { if (!found) print (to - from) / 1000 }' "$progress"/*
  done < "$1"
}

measure_latency_disk() {
  local variant onset
  our_ways
  section "latency on a disk: a job reads, random reads come for $on_seconds s, none; $onsets times"
  make_disk || return 0
  use_scheduler none || return 0
  for variant in "${ours[@]}"; do
    await_quiet
    : > "$memory/onsets"
    reader "$variant"
    for (( onset = 0; onset < onsets; onset++ )); do
      pause "$off_seconds.$((RANDOM % 900 + 100))"  # not in step with anything of lull's
      foreground randread "$disk" "$on_seconds"
      printf '%s\n' "$seen" >> "$memory/onsets"
    done
    pause "$off_seconds"
    stop_jobs
    yields "$memory/onsets" > "$memory/yield"
    resumes "$memory/onsets" > "$memory/resume"
    latency_rows "$variant"
  done
  restore_schedulers
}

# --- what a job pays --------------------------------------------------------------------------------

# took CMD...: how many us.
took() {
  local from=${EPOCHREALTIME/./}
  "$@" < /dev/null > /dev/null 2>> "$instance/log" || die "$* fails"
  echo $((${EPOCHREALTIME/./} - from))
}

# overhead WHAT CMD...: a row for each of lull's ways, of CMD's time under it to its time plain.
overhead() {
  local what=$1 variant pair
  shift
  rm -f "$memory"/*.*
  for (( pair = 0; pair < pairs; pair++ )); do
    for variant in plain "${ours[@]}"; do
      await_quiet
      new_instance "$variant"
      wrap_for "$variant"
      [[ $variant != plain ]] || wrap=(setsid -w)
      keep "$variant.us" "$(took "${wrap[@]}" "$@")"
    done
  done
  for variant in "${ours[@]}"; do
    paired "$memory/$variant.us" "$memory/plain.us" > "$memory/ratio"
    row "$what, $(called "$variant")" "$(spread "$memory/ratio")" \
      "$(median "$memory/$variant.us") us" '<= 1.02'
  done
}

measure_overhead() {
  our_ways
  section "overhead: the time of a job that has the machine to itself, to its time without lull; $pairs pairs"
  overhead 'computing' awk 'BEGIN { for (i = 0; i < 6e7; ++i) sum += i; print sum }'
  make_disk || return 0
  use_scheduler none || return 0
  # shellcheck disable=SC2016  # the inner shell's
  overhead 'reading' sh -c 'for n in 1 2 3 4; do dd if="$0" of=/dev/null bs=256k iflag=direct; done' "$disk"
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

# usage_rows SECONDS WHAT SWITCHES PERCENT: two rows, their goals, over SECONDS from now.
usage_rows() {
  local before after
  before=$(usage)
  pause "$1"
  after=$(usage)
  read -r switches percent < <(awk -v s="$1" '
    NR == 1 { switches = $1; ns = $2 }
    END { printf "%.1f %.3f\n", ($1 - switches) / s, ($2 - ns) / s / 1e7 }' <<< "$before"$'\n'"$after")
  row "switches/s, $2" "$switches" '' "<= $3"
  row "% of a core, $2" "$percent" '' "<= $4"
}

measure_cost() {
  local variant switches percent reads
  our_ways
  section "cost of lull and its keeper over $cost_seconds s: a spinning job and no foreground"
  for variant in "${ours[@]}"; do
    await_quiet
    start_jobs "$variant" 1 "$work/bin/bench_job" spin 300 %P
    pause 3
    usage_rows "$cost_seconds" "$(called "$variant")" 12 0.3
    stop_jobs
  done
  section 'a reader beside random reads that never stop, none'
  make_disk || return 0
  use_scheduler none || return 0
  for variant in "${ours[@]}"; do
    await_quiet
    reader "$variant"
    "$work/bin/bench_foreground" randread "$disk" "$((cost_seconds + 5))" > /dev/null &
    reads=$!
    pause 3
    usage_rows "$cost_seconds" "$(called "$variant")" 80 1
    stop_jobs
    wait "$reads"
  done
  restore_schedulers
}
