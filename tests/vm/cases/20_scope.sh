#!/bin/bash
# each run is in a scope of its own from its first instruction, in the slice of its policy
# shellcheck source=../lib.sh
. /lull/lib.sh

cat > /tmp/first.sh <<'END'
read -r group < /proc/self/cgroup
echo "$group" > /tmp/first
exec sleep 60
END

# in_scope RUNNER SLICE [OPTION...]: what a job says of itself at its first instruction.
in_scope() {
  local runner=$1 slice=$2 group
  shift 2
  start "$runner" first lull run "$@" -- bash /tmp/first.sh
  until_true 60 test -s /tmp/first
  group=$(cat /tmp/first)
  [[ $group == *"/$slice/lull-run:bash."*.scope ]] || die "$runner $*: in $group, not in $slice"
  say "$runner ${*:-throttle}: $group"
  stop "$runner" first
  until_true 30 test ! -d "/sys/fs/cgroup${group#0::}"  # nothing stays behind
  rm -f /tmp/first
}

for runner in app system session; do
  in_scope "$runner" lull.slice
done
in_scope app app.slice --policy important
in_scope system system.slice --policy passive
