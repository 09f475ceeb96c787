#!/bin/bash
# a saturating foreground keeps 0.95 of what it has alone, wherever it and the job are
# shellcheck source=../lib.sh
. /lull/lib.sh

for place in app session other system; do
  start "$place" foreground "${spin[@]}"
  group=$(group_of "$(main_pid_of "$place" foreground)")
  alone=$(cpu_of "$group" 3)
  for runner in app system; do
    start "$runner" job lull run -- "${spin[@]}"
    until_true 60 pgrep -f lull-keeper > /dev/null
    sleep 3  # yielding is not what is measured here
    beside=$(cpu_of "$group" 5)
    stop "$runner" job
    say "foreground in $place, job of $runner: $beside % of $alone %"
    (( beside * 100 >= alone * 95 )) || failed=yes
  done
  stop "$place" foreground
done
# A job that is never adapted has the share of a program, also beside jobs that make way.
start app foreground "${spin[@]}"
start app important lull run --policy important -- "${spin[@]}"
until_true 60 find_scope
until_true 60 pgrep -f lull-keeper > /dev/null
sleep 3
share=$(cpu_of "$scope" 5)
start app job lull run -- "${spin[@]}"
sleep 5
beside=$(cpu_of "$scope" 5)
# The other job's lull is one more program beside it, and not a cheap one in a machine as slow as this.
say "an important job beside a foreground: $share % of 200 %, with another job $beside %"
(( share >= 85 && beside * 100 >= share * 85 )) || failed=yes
for unit in job important foreground; do stop app "$unit"; done
[[ -z ${failed:-} ]] || die "see above"
