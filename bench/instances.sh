# Instances of lull in folders of their own: sourced by the benchmarks after lib.sh.
# shellcheck shell=bash disable=SC2034,SC2154  # what the others set and read

nobody=65534
instances=0  # folders so far
instance=''  # the newest: config, state, run, out and log
daemon=''    # the pid of its supervisor

# The folders of an instance, empty; the job files are ours, the rest belongs to user $1. Those of
# earlier rounds stay until the end: ext4 passes over inodes deleted within the last minutes one by
# one when it looks for a free one, so clearing up between rounds would slow down the next.
new_instance() {
  local user=$1
  instances=$((instances + 1))
  instance=$work/$instances
  mkdir -p "$instance"/{config/jobs,state,run,out}
  chmod 755 "$instance" "$instance/config"
  chmod 700 "$instance/state" "$instance/run"
  chown "$user" "$instance"/{state,run,out}
}

# become USER CMD...: takes this shell's place, with an environment of nothing, as root or whoever we
# are unless USER is another.
become() {
  local user=$1 drop=()
  shift
  [[ $user == "$EUID" ]] ||
    drop=(setpriv --reuid "$user" --regid "$user" --clear-groups --inh-caps=-all)
  exec env -i PATH="$PATH" HOME="$instance/state" TZ=UTC \
    LULL_CONFIG_DIR="$instance/config" LULL_STATE_DIR="$instance/state" \
    LULL_RUNTIME_DIR="$instance/run" "${drop[@]}" "$@"
}

as() { (become "$@"); }

# Starts the supervisor of the instance as user $1; `daemon` is its pid once it has read its jobs.
start_daemon() {
  local user=$1 tries
  shift
  (become "$user" "$work/bin/lull" daemon "$@" < /dev/null > "$instance/log" 2>&1) &
  daemon=$!
  for (( tries = 0; tries < 200; tries++ )); do
    if grep -qs ' jobs: ' "$instance/log"; then return; fi
    kill -0 "$daemon" 2> /dev/null || break
    pause 0.05
  done
  cat "$instance/log" >&2
  die "the supervisor does not start"
}

stop_daemon() {
  [[ -n $daemon ]] || return 0
  kill "$daemon" 2> /dev/null || true
  wait "$daemon" 2> /dev/null || true
  daemon=''
}
