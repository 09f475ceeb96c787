# Jobs beside a foreground, started in several ways: sourced by protect.sh after instances.sh.
# shellcheck shell=bash disable=SC2154  # what protect.sh sets

memory=''     # a scratch folder in memory: notes on a disk would be a load
group=''      # a cgroup of the cpu controller whose weight is idle
jobs=()       # the pids of the jobs that are at work, of their `lull run` where there is one
progress=''   # the folder of their progress
disturbed=0   # rounds that began while somebody else used the machine
seen=''       # what the foreground saw last, JSON

# --- ways to start a job ----------------------------------------------------------------------------

# our_ways: `variants`, those of lull that exist here.
our_ways() {
  variants=(lull)
  (( EUID != 0 )) || variants+=(nobody)
}

# ways cpu|disk: `variants`, all that exist here; those that rank CPU time only say nothing about a disk.
ways() {
  local ours
  our_ways
  ours=("${variants[@]}")
  variants=(alone plain nice)
  if [[ $1 == cpu ]]; then
    variants+=(idle)
    [[ -z $group ]] || variants+=(cgroup)
    ours+=(daemon)
  fi
  variants+=("${ours[@]}")
  [[ -z ${LULL_BENCH_WAYS:-} ]] || read -ra variants <<< "alone $LULL_BENCH_WAYS"
}

called() {
  case $1 in
    nice) echo 'nice 19, ionice' ;;
    idle) echo SCHED_IDLE ;;
    cgroup) echo 'cgroup, cpu.idle' ;;
    lull) echo 'lull run' ;;
    nobody) echo 'lull run as nobody' ;;
    daemon) echo 'lull daemon' ;;
    *) echo "$1" ;;
  esac
}

is_ours() { [[ $1 == lull || $1 == nobody || $1 == daemon ]]; }

user_of() {
  if [[ $1 == nobody ]]; then echo "$nobody"; else echo "$EUID"; fi
}

# take_way VARIANT CMD...: takes this shell's place with CMD. A session each, as cron and systemd do.
take_way() {
  local variant=$1
  shift
  case $variant in
    plain) exec setsid "$@" ;;
    nice) exec setsid nice -n 19 ionice -c 3 "$@" ;;
    idle) exec setsid chrt -i 0 "$@" ;;
    cgroup)
      echo "$BASHPID" > "$group/tasks"
      exec setsid "$@"
      ;;
    lull | nobody) become "$(user_of "$variant")" "$work/bin/lull" run -v -- "$@" ;;
    *) die "no way $variant" ;;
  esac
}

# new_jobs VARIANT: folders for jobs that start so.
new_jobs() {
  new_instance "$(user_of "$1")"
  progress=$memory/$instances
  mkdir "$progress"
  chown "$(user_of "$1")" "$progress"
}

# start_jobs VARIANT COUNT CMD...: where CMD has %P, the job's progress file, and %V, a folder that is
# the variant's, for its user.
start_jobs() {
  local variant=$1 count=$2 n command
  shift 2
  command=("${@//%V/$variant}")
  new_jobs "$variant"
  [[ $variant != alone ]] || return 0
  [[ "$*" != *%V* ]] || own_folder "$variant"
  if [[ $variant == daemon ]]; then
    start_under_daemon "$count" "${command[@]}"
    return
  fi
  for (( n = 0; n < count; n++ )); do
    (take_way "$variant" "${command[@]//%P/$progress/$n}") \
      < /dev/null > /dev/null 2>> "$instance/log" &
    jobs+=("$!")
  done
}

start_under_daemon() {
  local count=$1 n
  shift
  for (( n = 0; n < count; n++ )); do
    # A list of strings is written alike in JSON and TOML.
    jq -rn '"command = \($ARGS.positional)"' --args -- "${@//%P/$progress/$n}" \
      > "$instance/config/jobs/job$n.toml"
  done
  start_daemon "$EUID" --stop-jobs
  for (( n = 0; n < count; n++ )); do
    as "$EUID" "$work/bin/lull" start "job$n" > /dev/null
  done
}

own_folder() {
  mkdir -p "$mounted/$1"
  [[ $1 != nobody ]] || chown "$nobody" "$mounted/$1"
}

# stop_jobs: lull passes the signal on to its job.
stop_jobs() {
  local pid tries
  stop_daemon
  for pid in "${jobs[@]}"; do
    kill -- "-$pid" 2> /dev/null || kill "$pid" 2> /dev/null || true
  done
  for pid in "${jobs[@]}"; do
    for (( tries = 0; tries < 100; tries++ )); do
      kill -0 "$pid" 2> /dev/null || break
      pause 0.05
    done
    kill -KILL "$pid" 2> /dev/null || true
    wait "$pid" 2> /dev/null || true
  done
  jobs=()
}

# Makes `group` where the v1 controller is ours to use.
make_group() {
  local parent=/sys/fs/cgroup/cpu
  [[ -w $parent && -f $parent/cpu.shares && $(stat -fc %T "$parent") == cgroupfs ]] || return 0
  mkdir "$parent/lull-bench.$$" 2> /dev/null || return 0
  group=$parent/lull-bench.$$
  echo 1 > "$group/cpu.idle" 2> /dev/null || remove_group
}

remove_group() {
  [[ -z $group ]] || rmdir "$group" || true
  group=''
}

# --- a foreground, and what jobs did meanwhile --------------------------------------------------------

# await_quiet: until nobody else uses more than a tenth of the machine; who would is a foreground too,
# and jobs rightly yield to them. After half a minute it goes on and counts the round as disturbed.
await_quiet() {
  local tries
  for (( tries = 0; tries < 60; tries++ )); do
    { head -n 1 /proc/stat; pause 0.5; head -n 1 /proc/stat; } | awk '
      { free = $5 + $6; all = 0; for (i = 2; i <= 9; ++i) all += $i }
      NR == 1 { free0 = free; all0 = all }
      END { exit !(free - free0 >= 0.9 * (all - all0)) }' && return
  done
  disturbed=$((disturbed + 1))
}

# foreground ARG...: of bench_foreground, in a session of its own, as a terminal or an app has.
foreground() {
  seen=$(setsid -w "$work/bin/bench_foreground" "$@") || die "bench_foreground $* fails"
}

# saw KEY: of `seen`.
saw() { jq -r ".$1" <<< "$seen"; }

# done_between FROM_US TO_US: the jobs' work per second then, all together.
done_between() {
  awk -v from="$1" -v to="$2" '
    FNR > 1 && $1 > then {
      low = then > from ? then : from
      high = $1 < to ? $1 : to
      if (high > low) sum += ($2 - work) * (high - low) / ($1 - then)
    }
    { then = $1; work = $2 }
    END { printf "%.3f\n", sum * 1e6 / (to - from) }' "$progress"/*
}

# --- numbers of a part ------------------------------------------------------------------------------

# keep NAME NUMBER
keep() { printf '%s\n' "$2" >> "$memory/$1"; }

# paired FILE FILE: line by line, so that a noisy minute hits both numbers of a ratio.
paired() { paste "$1" "$2" | awk '{ print ($2 > 0 ? $1 / $2 : 0) }'; }

# compare COUNT CMD... -- KEY... -- FOREGROUND...: rounds in turns over all `variants`; what the
# foreground saw goes to the files VARIANT.KEY, what the jobs did per second to VARIANT.job, and what
# they do with nobody there to free.job.
compare() {
  local count=$1 load=() keys=() variant key round
  shift
  while [[ $1 != -- ]]; do load+=("$1"); shift; done
  shift
  while [[ $1 != -- ]]; do keys+=("$1"); shift; done
  shift
  rm -f "$memory"/*.*
  for (( round = 0; round < rounds; round++ )); do
    keep_free "$count" "${load[@]}"
    for variant in "${variants[@]}"; do
      await_quiet
      start_jobs "$variant" "$count" "${load[@]}"
      pause "$settle"
      foreground "$@"
      stop_jobs
      for key in "${keys[@]}"; do keep "$variant.$key" "$(saw "$key")"; done
      [[ ! -e $progress/0 ]] || keep "$variant.job" "$(done_between "$(saw from_us)" "$(saw to_us)")"
    done
  done
}

# keep_free COUNT CMD...: what such jobs do per second with nobody there, no way of lull's. Nothing for
# jobs that keep no progress.
keep_free() {
  local from to
  [[ "$*" == *%P* ]] || return 0
  await_quiet
  start_jobs plain "$@"
  pause "$settle"
  from=$(monotonic_us)
  pause "$seconds"
  to=$(monotonic_us)
  stop_jobs
  keep free.job "$(done_between "$from" "$to")"
}

# compared KEY GOAL: a row for each variant, lull's held against GOAL.
compared() {
  local variant
  for variant in "${variants[@]}"; do
    paired "$memory/$variant.$1" "$memory/alone.$1" > "$memory/ratio"
    row "$1, $(called "$variant")" "$(spread "$memory/ratio")" "$(spread "$memory/$variant.$1")" \
      "$(goal_for "$variant" "$2")"
  done
}

goal_for() { ! is_ours "$1" || echo "$2"; }

# shares_of FILE GOAL WHAT: a row for each variant of what its jobs did, of the numbers in FILE.
shares_of() {
  local variant
  for variant in "${variants[@]}"; do
    [[ -e $memory/$variant.job ]] || continue
    paired "$memory/$variant.job" "$1" > "$memory/ratio"
    row "$3, $(called "$variant")" "$(spread "$memory/ratio")" '' "$(goal_for "$variant" "$2")"
  done
}
