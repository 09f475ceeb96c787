#!/bin/bash
# run.sh --program LULL [--stay] [FOLDER]: lull at work on three real jobs, each result verified.
#
# Everything lies in FOLDER (lull-demo/ in the checkout): config/ state/ run/ are lull's own three, tree/ is what
# the jobs read, and repository/ index.db mirror/ are what they make. `./dev run` calls this.
set -euo pipefail
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
job_names=(backup index mirror)
daemon=''

die() { printf 'demo: %s\n' "$*" >&2; exit 1; }
heading() { printf '\n--- %s\n' "$*"; }
indent() { sed 's/^/    /'; }

# --- the folder -------------------------------------------------------------------------------

# Ours, or not there yet: nobody's files are overwritten or removed.
claim_folder() {
  if [[ -e $demo && ! -e $demo/.lull-demo && -n $(ls -A "$demo") ]]; then
    die "$demo is there already and is no demo folder: name another one"
  fi
  mkdir -p "$demo"
  touch "$demo/.lull-demo"
  demo=$(cd "$demo" && pwd -P)
  (( ${#demo} < 80 )) || die "$demo is too long a name for a socket: name a shorter folder"
  [[ $demo != *[\"\\\&\|]* ]] || die "$demo: no quotes, backslashes, & or | please"
}

# The tree: the C++ headers that lull itself is built with, some fifteen thousand files that every
# machine that could build it has. Copied whole or not at all.
make_tree() {
  [[ ! -d $demo/tree ]] || return 0
  rm -rf "$demo/tree.part"
  mkdir "$demo/tree.part"
  cp -a /usr/include/boost /usr/include/c++ "$demo/tree.part"
  mv "$demo/tree.part" "$demo/tree"
}

# All but the tree is made anew, so that a second demo shows what the first did.
prepare() {
  if "$lull" status > /dev/null 2>&1; then
    die "a supervisor is at work in $demo: stop it first"
  fi
  rm -rf "$demo"/{config,state,run,repository,cache,mirror,restored,index.db,restic.env,daemon.log}
  mkdir -p "$demo/config/jobs" "$demo/cache" "$demo/mirror"
  mkdir -m 700 "$demo/state" "$demo/run"
  make_tree
  (umask 077 && printf 'RESTIC_PASSWORD=a demo has no secrets\n' > "$demo/restic.env")
  local name
  for name in "${job_names[@]}"; do
    sed "s|@DEMO@|$demo|g" "$here/$name.toml.in" > "$demo/config/jobs/$name.toml"
  done
  restic_here init --quiet
}

restic_here() {
  RESTIC_PASSWORD='a demo has no secrets' restic \
    --repo "$demo/repository" --cache-dir "$demo/cache" "$@"
}

# --- the supervisor ---------------------------------------------------------------------------

start_daemon() {
  "$lull" daemon > "$demo/daemon.log" 2>&1 &
  daemon=$!
  local tries
  for (( tries = 0; tries < 100; tries++ )); do
    if "$lull" status > /dev/null 2>&1; then return; fi
    kill -0 "$daemon" 2>/dev/null || break
    sleep 0.1
  done
  cat "$demo/daemon.log" >&2
  die "the supervisor does not answer"
}

stop_daemon() {
  [[ -n $daemon ]] || return 0
  local pid=$daemon status=0
  daemon=''
  kill -TERM "$pid"
  wait "$pid" || status=$?
  (( status == 0 )) || { cat "$demo/daemon.log" >&2; die "the supervisor ended with $status"; }
}

# --- what the kernel says ---------------------------------------------------------------------

# The processes of job $1: those that carry its name in their environment. The keeper is lull's.
pids_of() {
  local file pid comm
  while read -r file; do
    pid=${file#/proc/} pid=${pid%/environ}
    { read -r comm < "/proc/$pid/comm"; } 2>/dev/null || continue
    [[ $comm == lull-keeper ]] || printf '%s\n' "$pid"
  done < <(grep -lzx "LULL_JOB=$1" /proc/[0-9]*/environ 2>/dev/null)
}

# One line about process $1, from the tools that everybody has; fails when it is gone.
kernel_says() {
  local nice comm io group cgroup
  read -r nice comm < <(ps -o ni=,comm= -p "$1") || return 1
  io=$(ionice -p "$1" 2>/dev/null) || return 1
  { read -r group < "/proc/$1/autogroup"; } 2>/dev/null || group='(no autogroup)'
  cgroup=$(grep lull "/proc/$1/cgroup" 2>/dev/null | cut -d: -f2,3 | paste -sd' ') || true
  printf '%7d %-10s nice %3d  %-20s  %-26s  %s\n' \
    "$1" "$comm" "$nice" "$io" "$group" "${cgroup:-(no cgroup of its own)}"
}

# Starts job $1 and, until it is done, prints every process of it, and each again when what the
# kernel says of it changes.
run_and_watch() {
  local pid line starter
  local -A seen=()
  heading "lull start $1 --wait"
  "$lull" start "$1" --wait > "$demo/start.out" 2>&1 &
  starter=$!
  while kill -0 "$starter" 2>/dev/null; do
    for pid in $(pids_of "$1"); do
      line=$(kernel_says "$pid") || continue
      [[ ${seen[$pid]:-} != "$line" ]] || continue
      printf '%s\n' "$line"
      if (( ${#seen[@]} == 0 )); then show_inspect "$1" "$pid"; fi
      seen[$pid]=$line
    done
    sleep 0.02
  done
  wait "$starter" || { indent < "$demo/start.out"; die "job $1 failed; lull log $1 says why"; }
  indent < "$demo/start.out"
  (( ${#seen[@]} > 0 )) || printf '    (over before anybody could look)\n'
}

# The same from lull itself, and the job as its supervisor sees it.
show_inspect() {
  { "$lull" inspect --pid "$2" && "$lull" status "$1"; } 2>&1 | indent || true
}

# --- what the jobs were for -------------------------------------------------------------------

# verified CLAIM CMD...: prints the claim and how it went; a failure is counted.
verified() {
  local claim=$1 out
  shift
  if out=$("$@" 2>&1); then
    printf 'ok      %s\n' "$claim"
  else
    printf 'FAILED  %s\n' "$claim"
    indent <<< "$out"
    failures=$((failures + 1))
  fi
}

restored_is_identical() {
  restic_here restore latest --quiet --target "$demo/restored" &&
    diff -r --no-dereference "$demo/tree" "$demo/restored" &&
    rm -rf "$demo/restored"
}

index_finds() {
  plocate --database "$demo/index.db" "$(basename "$1")" | grep -Fx "$demo/tree/$1"
}

mirror_is_identical() {
  local differences
  differences=$(rsync --archive --delete --checksum --dry-run --itemize-changes \
    "$demo/tree/" "$demo/mirror/")
  [[ -z $differences ]] || { printf '%s\n' "$differences"; return 1; }
}

verify() {
  failures=0
  verified "restic check: the repository holds together, every byte of it read" \
    restic_here check --quiet --read-data
  verified "restic restore: what comes back is identical to the tree" restored_is_identical
  verified "plocate finds a file of the tree in the index" \
    index_finds boost/asio/awaitable.hpp
  verified "rsync --checksum: the mirror is identical to the tree" mirror_is_identical
  (( failures == 0 ))
}

# --- from top to bottom -----------------------------------------------------------------------

demo=$here/../../lull-demo lull='' stay=no
while (( $# > 0 )); do
  case $1 in
    --program) lull=$2; shift ;;
    --stay) stay=yes ;;
    -*) die "no such option: $1 (there are --program LULL, --stay and a folder's name)" ;;
    *) demo=$1 ;;
  esac
  shift
done
[[ -x $lull ]] || die "--program: where is lull?"

claim_folder
export LULL_CONFIG_DIR=$demo/config LULL_STATE_DIR=$demo/state LULL_RUNTIME_DIR=$demo/run
trap stop_daemon EXIT
trap 'exit 130' INT TERM

heading "preparing $demo"
prepare
printf '%s files, %s, to back up, index and mirror\n' \
  "$(find "$demo/tree" -type f | wc -l)" "$(du -sh "$demo/tree" | cut -f1)"
heading "lull check"
"$lull" check "$demo"/config/jobs/*.toml
start_daemon
heading "lull status"
"$lull" status

for name in "${job_names[@]}"; do run_and_watch "$name"; done

heading "lull history"
"$lull" history
heading "what the jobs were for"
verify || die "not everything is as it should be; see $demo"
stop_daemon

printf '\nEverything is in %s. To ask lull there:\n' "$demo"
printf '  export LULL_CONFIG_DIR=%s/config LULL_STATE_DIR=%s/state LULL_RUNTIME_DIR=%s/run\n' \
  "$demo" "$demo" "$demo"
printf '  %s history\n' "$lull"
if [[ $stay == yes ]]; then
  heading "lull daemon (Ctrl-C ends it)"
  trap - EXIT INT TERM
  exec "$lull" daemon
fi
