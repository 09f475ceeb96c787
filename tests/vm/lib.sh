# What the cases share. Read by each of them.
# shellcheck shell=bash

PATH=/lull/bin:$PATH
say() { printf '%s\n' "$*"; }
die() { say "$*"; exit 1; }

# Waits without a program of its own: in a machine as slow as this one it would be a foreground.
exec {never}<> <(:)
pause() { read -rt "$1" -u "$never" || true; }

# until_true SECONDS CMD...: waits until CMD succeeds; the case fails when it does not in time.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    (( SECONDS < end )) || die "still not so: $*"
    pause 1
  done
}

# --- where things run ------------------------------------------------------------------------------

# user_run USER [OPTION...] CMD...: systemd-run in that user's own manager.
user_run() {
  local user=$1
  shift
  as "$user" systemd-run --user --quiet --collect "$@"
}

# as USER CMD...: with that user's environment.
as() {
  local user=$1
  shift
  setpriv --reuid="$user" --regid="$user" --init-groups \
    env "HOME=/home/$user" "USER=$user" "XDG_RUNTIME_DIR=/run/user/$(id -u "$user")" "$@"
}

# launch PLACE UNIT CMD...: starts CMD as UNIT.service where a foreground may be: app (ana's
# app.slice), session (a login session of ana's), other (ben's app.slice), system (system.slice).
launch() {
  local place=$1 unit=$2
  shift 2
  case $place in
    app) user_run ana --unit="$unit" --slice=app.slice "$@" ;;
    other) user_run ben --unit="$unit" --slice=app.slice "$@" ;;
    session)
      systemd-run --quiet --collect --unit="$unit" -p User=ana -p PAMName=login -p KillMode=mixed "$@" ;;
    system) systemd-run --quiet --collect --unit="$unit" "$@" ;;
    *) die "no such place: $place" ;;
  esac
}

# start PLACE UNIT CMD...: the same, and waits until it is there.
start() {
  launch "$@"
  until_true 20 main_pid_of "$1" "$2" > /dev/null
}

# main_pid_of PLACE UNIT: prints it; fails while there is none.
main_pid_of() {
  local pid
  pid=$(control "$1" show -P MainPID "$2.service") && (( pid > 0 )) && say "$pid"
}

# control PLACE VERB...: systemctl of the manager there.
control() {
  local place=$1
  shift
  case $place in
    app) as ana systemctl --user "$@" ;;
    other) as ben systemctl --user "$@" ;;
    *) systemctl "$@" ;;
  esac
}

# stop PLACE UNIT: also what logind has moved into the scope of its session, if that has not gone
# with its last process, which can be at any moment.
stop() {
  local group
  group=$(group_of "$(main_pid_of "$1" "$2")")
  control "$1" stop "$2.service"
  [[ $1 != session ]] || { echo 1 > "$group/cgroup.kill"; } 2> /dev/null || [[ ! -e $group ]]
}

# --- jobs under a supervisor -----------------------------------------------------------------------

# job USER NAME TEXT: a job file. The job is not paused, whatever goes on beside it.
job() {
  local folder=/home/$1/.config/lull/jobs
  as "$1" mkdir -p "$folder"
  printf '%s\n[priority]\npolicy = "standard"\n' "$3" > "$folder/$2.toml"
  chown "$1:" "$folder/$2.toml"
}

state_of() { as "$1" lull status "$2" --json | jq -r '.[0].state'; }
is_running() { [[ $(state_of "$1" "$2") == running ]]; }
# ended USER JOB: its last run has an outcome.
ended() { [[ $(outcome_of "$1" "$2") != null ]]; }
outcome_of() { as "$1" lull history "$2" --json | jq -r '.[0].outcome'; }
# outcome_is USER JOB OUTCOME AFTER: so its last run has ended, after what was done to it.
outcome_is() {
  until_true 60 ended "$1" "$2"
  local outcome
  outcome=$(outcome_of "$1" "$2")
  say "$4: $outcome"
  [[ $outcome == "$3" ]] || die "wanted $3; $(as "$1" lull history "$2" --json --limit 1)"
}
gone() { ! kill -0 "$1" 2> /dev/null; }

# find_scope: sets `scope` to the folder of the one run that there is.
find_scope() {
  scope=$(find /sys/fs/cgroup -type d -name 'lull-*.scope' | head -n 1)
  [[ -n $scope ]] && grep -q . "$scope/cgroup.procs"
}

# --- measuring -------------------------------------------------------------------------------------

# group_of PID: its cgroup, as a folder.
group_of() { say "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")"; }

used_us() { sed -n 's/^usage_usec //p' "$1/cpu.stat"; }

now_us() { local now; read -r now _ < /proc/uptime; say "${now/./}0000"; }

# cpu_of SECONDS FOLDER...: how much of one CPU each of the groups uses meanwhile, in percent.
cpu_of() {
  local seconds=$1 folder used=() at took i=0
  shift
  at=$(now_us)
  for folder; do used+=("$(used_us "$folder")"); done
  sleep "$seconds"
  took=$(($(now_us) - at))
  for folder; do say $((100 * ($(used_us "$folder") - used[i++]) / took)); done
}

# at_least VALUE LIMIT WHAT
at_least() { (( $1 >= $2 )) || die "$3: $1, wanted at least $2"; }
at_most() { (( $1 <= $2 )) || die "$3: $1, wanted at most $2"; }

# --- loads -----------------------------------------------------------------------------------------

# One that wants both CPUs.
# shellcheck disable=SC2034  # used by the cases
spin=(bash -c 'while :; do :; done & while :; do :; done')
