#!/bin/bash
# cost.sh [--build] [--only FIGURE]: what lull costs, beside the barest program that does the same
# work, both measured in turns. Prints a table. FIGURE: idle, load, rate, late, slots or
# build.
#
# LULL_PROGRAM     the optimised lull, with lull-keeper and bench/ beside it
# LULL_BENCH_DIR   where the scratch folder goes (/var/tmp: a real disk, or fsync costs nothing)
# LULL_BENCH_QUICK 1: fewer rounds; shows that it works, proves no figure
set -euo pipefail
export LC_ALL=C  # a decimal point, in awk and printf

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$here")
# shellcheck source=bench/lib.sh
source "$here/lib.sh"
# shellcheck source=bench/instances.sh
source "$here/instances.sh"

parallel=4
jobs=1000 files=10000 idle_seconds=60 rounds=7 check_rounds=9 slots=200
if [[ ${LULL_BENCH_QUICK:-0} == 1 ]]; then
  idle_seconds=5 rounds=2 check_rounds=3 slots=12
fi

# Of the policies the one that sets no lower priority than the bare peer has: on a machine that is not
# quite idle the others yield, as they should, and the peer does not.
important=$'[priority]\npolicy = "important"'

# --- what nearly every part does ------------------------------------------------------------------

lull() { as "$EUID" "$work/bin/lull" "$@"; }

# far_jobs COUNT: the examples, COUNT of them under new names. Each keeps its form (a list, a weekday,
# a period) and gets a schedule of its own that is not due for months.
far_jobs() {
  local examples=("$root"/examples/*.toml) month example
  month=$(date -u -d '+5 months' +%m)
  for example in "${examples[@]}"; do
    awk -v count="$(($1 / ${#examples[@]}))" -v month="$month" \
      -v stem="$instance/config/jobs/$(basename "$example" .toml)" '
      function far(n) { return sprintf("*-%s-%02d %02d:%02d", month, n % 28 + 1, n % 24, n % 60) }
      { lines[NR] = $0 }
      END {
        for (n = 0; n < count; ++n) {
          file = stem "-" n ".toml"
          for (i = 1; i <= NR; ++i) {
            line = lines[i]
            if (line ~ /^at *= *\[/) line = "at = [\"" far(n) "\", \"" far(n + 7) ":30\"]"
            else if (line ~ /^at *=/) line = "at = \"" far(n) "\""
            else if (line ~ /^every *=/) line = "every = \"" 150 + n % 40 "d\""
            print line > file
          }
          close(file)
        }
      }' "$example"
  done
}

# --- 1 and 2: a supervisor with nothing to do -------------------------------------------------------

# Voluntary and involuntary switches of all threads of process $1.
switches() {
  awk '/ctxt_switches/ { sum += $2 } END { print sum + 0 }' /proc/"$1"/task/*/status
}

# megabytes FILE KEY: of a line "KEY:  N kB".
megabytes() { awk -v key="$2:" '$1 == key { printf "%.2f\n", $2 / 1024 }' "$1"; }

# child_named PARENT NAME: its pid.
child_named() {
  local stat
  for stat in /proc/[0-9]*/stat; do
    awk -v name="($2)" -v parent="$1" '$2 == name && $4 == parent { print $1 }' "$stat" \
      2> /dev/null || true
  done | head -n 1
}

# The keeper of a run that goes on, beside the bare parent of a process that does the same.
measure_keeper() {
  local bare keeper
  "$work/bin/bench_bare_parent" /bin/sleep 60 &
  bare=$!
  others+=("$bare")
  lull start sleeper > /dev/null
  pause 1
  keeper=$(child_named "$daemon" lull-keeper)
  [[ -n $keeper ]] || die "no keeper is at work"
  row 'a keeper: PSS MB' "$(megabytes "/proc/$keeper/smaps_rollup" Pss)" \
    "$(megabytes "/proc/$bare/smaps_rollup" Pss)" '<= 0.4'
  lull stop sleeper > /dev/null
  kill "$(child_named "$bare" sleep)"
}

# measure_memory WHEN: of the supervisor and of `bare`.
measure_memory() {
  row "anonymous MB$1" "$(megabytes "/proc/$daemon/status" RssAnon)" \
    "$(megabytes "/proc/$bare/status" RssAnon)" '<= 4'
  row "RSS MB$1" "$(megabytes "/proc/$daemon/status" VmRSS)" \
    "$(megabytes "/proc/$bare/status" VmRSS)" '<= 12'
}

measure_idle() {
  local bare before after
  new_instance "$EUID"
  far_jobs "$jobs"
  printf 'command = ["/bin/sleep", "60"]\n' > "$instance/config/jobs/sleeper.toml"
  start_daemon "$EUID"
  "$work/bin/bench_bare_timer" 4000000000000000 0 0 &
  bare=$!
  others+=("$bare")
  pause 5  # until what was read is settled
  before=("$(switches "$daemon")" "$(switches "$bare")")
  pause "$idle_seconds"
  after=("$(switches "$daemon")" "$(switches "$bare")")
  section "a supervisor with $jobs jobs, none due; peer: a process that waits for a timerfd"
  row "wake-ups in $idle_seconds s" $((after[0] - before[0])) $((after[1] - before[1])) '<= 0'
  measure_memory ''
  lull status --json > /dev/null
  measure_memory ' after lull status'
  kill "$bare"
  measure_keeper
  stop_daemon
}

# --- 3: reading job files ---------------------------------------------------------------------------

seconds_of() {
  local start=$EPOCHREALTIME
  "$@" > /dev/null
  awk -v from="$start" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.6f\n", to - from }'
}

measure_load() {
  local round folder
  new_instance "$EUID"
  folder=$instance/config/jobs
  far_jobs "$files"
  rm -f "$work"/{check,parse,read}
  for (( round = 0; round < check_rounds; round++ )); do
    seconds_of lull check "$instance/config" >> "$work/check"
    "$work/bin/bench_bare_parse" parse "$folder" >> "$work/parse"
    "$work/bin/bench_bare_parse" read "$folder" >> "$work/read"
  done
  section "lull check on $files job files, $check_rounds rounds; peer: toml++ alone, nothing checked"
  row 'seconds' "$(spread "$work/check")" "$(spread "$work/parse")" '<= 0.5'
  note "only opening, reading and closing them: $(spread "$work/read")"
}

# --- 4: a thousand due at once ------------------------------------------------------------------------

# Waits until the supervisor's log has seen $1 runs end. Read without a fork, twice a second: a busy
# watcher would be part of what it measures.
await_ends() {
  local lines line ended deadline=$((SECONDS + 120))
  while (( SECONDS < deadline )); do
    mapfile -t lines < "$instance/log"
    ended=0
    for line in "${lines[@]}"; do [[ $line != *' ended '* ]] || ended=$((ended + 1)); done
    (( ended < $1 )) || return 0
    pause 0.5
  done
  die "$1 runs did not end within two minutes"
}

# The jobs that are due at $1.
due_jobs() {
  local n
  for (( n = 0; n < jobs; n++ )); do
    printf '%s\n' 'command = ["/bin/true"]' 'directory = "/"' '[schedule]' "at = \"$1 UTC\"" \
      "$important" > "$instance/config/jobs/true-$n.toml"
  done
}

# One round of lull as user $1, from the due instant to the last end, into the file lull.
round_of_lull() {
  local user=$1 due
  new_instance "$user"
  printf 'max_concurrent = %d\n' "$parallel" > "$instance/config/lull.toml"
  due=$(( $(date +%s) + 3 ))
  due_jobs "$(date -u -d "@$due" '+%Y-%m-%d %H:%M:%S')"
  start_daemon "$user"
  (( $(date +%s) < due )) || die "the supervisor was not ready in time"
  await_ends "$jobs"
  stop_daemon
  as "$user" "$work/bin/lull" history --json > "$work/history"
  jq -e --argjson jobs "$jobs" \
    'length == $jobs and all(.outcome == "success" and .trigger == "schedule")' \
    "$work/history" > /dev/null || die "not every run is there, due and successful"
  date -d "$(jq -r 'map(.ended) | max' "$work/history")" +%s.%N |
    awk -v due="$due" -v n="$jobs" '{ print n / ($1 - due) }' >> "$work/lull"
}

# One of the bare loop, into the file bare.
round_of_bare() {
  as "$1" "$work/bin/bench_bare_loop" "$jobs" "$parallel" "$work/bin/bench_bare_parent" /bin/true |
    awk -v n="$jobs" '{ print n / $1 }' >> "$work/bare"
}

# measure_rate_as USER WORDS
measure_rate_as() {
  local user=$1 round
  rm -f "$work"/{lull,bare}
  for (( round = 0; round < rounds; round++ )); do
    round_of_lull "$user"
    round_of_bare "$user"
  done
  section "$jobs runs of /bin/true due at once, $parallel at a time, $2, $rounds rounds; peer: a loop with a bare parent each"
  row 'runs per second' "$(spread "$work/lull")" "$(spread "$work/bare")" ''
  row 'ratio of the medians' "$(ratio "$work/lull" "$work/bare")" 1 '>= 0.8'
}

measure_rate() {
  if (( EUID == 0 )); then
    measure_rate_as 0 'as root with cgroups'
    measure_rate_as "$nobody" 'without privilege'
  else
    measure_rate_as "$EUID" 'without privilege'
  fi
}

# --- 5: on time ---------------------------------------------------------------------------------------

# late FILE: the stamps' lateness in ms, sorted.
late() { awk '{ printf "%.3f\n", ($2 - $1) / 1000 }' "$1" | sort -n; }

# The bare loop's slots lie half a second behind lull's, so both see the same machine.
measure_late() {
  local first bare ours theirs p
  new_instance "$EUID"
  ours=$instance/out/lull theirs=$instance/out/bare
  printf '%s\n' "command = [\"$work/bin/bench_stamp\", \"$ours\"]" '[schedule]' 'every = "1s"' \
    "$important" > "$instance/config/jobs/stamp.toml"
  start_daemon "$EUID"
  while [[ ! -s $ours ]]; do pause 0.1; done
  read -r first _ < "$ours"
  "$work/bin/bench_bare_timer" $((first + 2500000)) 1000000 "$slots" \
    "$work/bin/bench_stamp" "$theirs" &
  bare=$!
  others+=("$bare")
  wait "$bare"
  stop_daemon
  # The first slots fall into the start; as many as the peer has are compared.
  tail -n "$slots" "$ours" > "$ours.last"
  late "$ours.last" > "$work/lull"
  late "$theirs" > "$work/bare"
  section "start after the due instant, $slots slots each; peer: timerfd and posix_spawn, nothing recorded"
  for p in 50 99 100; do
    row "p$p, ms" "$(percentile "$p" < "$work/lull")" "$(percentile "$p" < "$work/bare")" \
      "$( (( p != 99 )) || printf '<= 10')"
  done
}

# --- 6: finding the next slot -------------------------------------------------------------------------

# Those that are far away, or never come, are the ones that could take long.
measure_slots() {
  local zone=America/New_York expression
  section "the next slot from 4000 instants in 50 years, $zone; peer: the C library's time there and back"
  for expression in '*-*-* 02:30' '*:*:*' 'Mon *-*~1 02:30' '*-02-29 02:30' '*-02-30' \
    'Fri 2199-12-13' '0 2 13 * 5' "$(seq -s, 1 2 59 | sed 's/.*/*:&:&/')"; do
    "$work/bin/bench_slots" "$expression" "$zone" > "$work/slots"
    cut -d ' ' -f 1 "$work/slots" > "$work/lull"
    cut -d ' ' -f 2 "$work/slots" > "$work/bare"
    row "us, ${expression:0:20}" "$(spread "$work/lull")" "$(spread "$work/bare")" '<= 20'
  done
}

# --- 7: building --------------------------------------------------------------------------------------

measure_build() {
  cmake -S "$root" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo > /dev/null
  section 'a clean build with -j2'
  row 'lull and lull-keeper, s' \
    "$(seconds_of cmake --build "$work/build" -j 2 --target lull lull-keeper)" - '<= 180'
  row 'then tests and benchmarks, s' "$(seconds_of cmake --build "$work/build" -j 2)" - ''
}

# --- all ----------------------------------------------------------------------------------------------

others=()
clean_up() {
  stop_daemon
  local pid
  for pid in "${others[@]}"; do kill "$pid" 2> /dev/null || true; done
  [[ -z $work ]] || rm -rf "$work"
}

main() {
  local figures=(idle load rate late slots) figure
  while (( $# > 0 )); do
    case $1 in
      --build) figures+=(build) ;;
      --only) figures=("${2:?--only FIGURE}"); shift ;;
      *) die "no option $1" ;;
    esac
    shift
  done
  trap clean_up EXIT
  work=$(mktemp -d "${LULL_BENCH_DIR:-/var/tmp}/lull-bench.XXXXXX")
  chmod 755 "$work"
  copy_programs
  heading "$work"
  for figure in "${figures[@]}"; do "measure_$figure"; done
  finish
}

main "$@"
