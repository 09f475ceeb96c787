# Jobs beside a foreground, started in several ways: sourced by protect.sh after lib.sh.
# shellcheck shell=bash disable=SC2154  # what protect.sh sets

nobody=65534
memory=''     # a scratch folder in memory: notes on a disk would be a load
group=''      # a cgroup of the cpu controller whose weight is idle
jobs=()       # the pids of the jobs that are at work, of their `lull run` where there is one
instances=0   # folders so far
instance=''   # that of the jobs at work: config, state and run
progress=''   # the folder of their progress
disturbed=0   # rounds that began while somebody else used the machine
seen=''       # what the foreground saw last, JSON
wrap=()

# --- ways to start a job ----------------------------------------------------------------------------

# ways DISK: `variants`, that exist here; those that rank CPU time only say nothing about a disk.
ways() {
  variants=(alone plain nice)
  [[ $1 == disk ]] || variants+=(idle)
  [[ $1 == disk || -z $group ]] || variants+=(cgroup)
  variants+=(lull)
  (( EUID != 0 )) || variants+=(nobody)
}

# wrap_for VARIANT: `wrap`, what comes before the job's command. A session each, as cron and systemd do.
wrap_for() {
  local drop=()
  case $1 in
    plain) wrap=(setsid) ;;
    nice) wrap=(setsid nice -n 19 ionice -c 3) ;;
    idle) wrap=(setsid chrt -i 0) ;;
    cgroup) wrap=(setsid bash -c "echo \$\$ > $group/tasks && exec \"\$@\"" bash) ;;
    lull | nobody)
      [[ $1 == lull ]] || drop=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
      wrap=(env -i PATH="$PATH" HOME="$instance/state" LULL_CONFIG_DIR="$instance/config"
        LULL_STATE_DIR="$instance/state" LULL_RUNTIME_DIR="$instance/run" TZ=UTC
        "${drop[@]}" "$work/bin/lull" run -v --)
      ;;
    *) die "no way $1" ;;
  esac
}

new_instance() {
  local user=$EUID
  [[ $1 != nobody ]] || user=$nobody
  instances=$((instances + 1))
  instance=$work/$instances progress=$memory/$instances
  mkdir -p "$instance"/{config,state,run} "$progress"
  chmod 755 "$instance" "$progress"
  chmod 700 "$instance"/{state,run}
  (( EUID != 0 )) || chown "$user" "$instance"/{state,run} "$progress"
}

# start_jobs VARIANT COUNT CMD...: where CMD has %P, the job's progress file, and %V, a folder that is
# the variant's, for its user.
start_jobs() {
  local variant=$1 count=$2 n command
  shift 2
  command=("${@//%V/$variant}")
  new_instance "$variant"
  [[ $variant != alone ]] || return 0
  wrap_for "$variant"
  [[ "$*" != *%V* ]] || own_folder "$variant"
  for (( n = 0; n < count; n++ )); do
    "${wrap[@]}" "${command[@]//%P/$progress/$n}" < /dev/null > /dev/null 2>> "$instance/log" &
    jobs+=("$!")
  done
}

own_folder() {
  mkdir -p "$mounted/$1"
  [[ $1 != nobody ]] || chown "$nobody" "$mounted/$1"
}

# stop_jobs: lull passes the signal on to its job.
stop_jobs() {
  local pid tries
  (( ${#jobs[@]} > 0 )) || return 0
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

# compare ROUNDS COUNT CMD... -- KEY... -- FOREGROUND...: rounds in turns over all `variants`; what the
# foreground saw goes to the files VARIANT.KEY, what the jobs did per second to VARIANT.job.
compare() {
  local rounds=$1 count=$2 load=() keys=() variant key round
  shift 2
  while [[ $1 != -- ]]; do load+=("$1"); shift; done
  shift
  while [[ $1 != -- ]]; do keys+=("$1"); shift; done
  shift
  rm -f "$memory"/*.*
  for (( round = 0; round < rounds; round++ )); do
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

# compared KEY GOAL: a row for each variant, lull's held against GOAL.
compared() {
  local variant goal
  for variant in "${variants[@]}"; do
    goal=''
    [[ $variant != lull && $variant != nobody ]] || goal=$2
    paired "$memory/$variant.$1" "$memory/alone.$1" > "$memory/ratio"
    row "$1, $(called "$variant")" "$(spread "$memory/ratio")" "$(spread "$memory/$variant.$1")" "$goal"
  done
}

called() {
  case $1 in
    nice) echo 'nice 19, ionice' ;;
    idle) echo SCHED_IDLE ;;
    cgroup) echo 'cgroup, cpu.idle' ;;
    nobody) echo 'lull as nobody' ;;
    *) echo "$1" ;;
  esac
}
