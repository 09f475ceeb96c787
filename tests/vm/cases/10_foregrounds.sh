#!/bin/bash
# a saturating foreground keeps 0.95 of what it has alone, wherever it and the job are
# shellcheck source=../lib.sh
. /lull/lib.sh

for place in app session other system; do
  start "$place" foreground "${spin[@]}"
  group=$(group_of "$(main_pid_of "$place" foreground)")
  alone=$(cpu_of 5 "$group")
  for runner in app system; do
    start "$runner" job lull run -- "${spin[@]}"
    until_true 60 find_scope
    sleep 3  # yielding is not what is measured here
    mapfile -t shares < <(cpu_of 5 "$group" "$scope" "$(group_of "$(main_pid_of "$runner" job)")")
    stop "$runner" job
    say "foreground in $place, job of $runner: ${shares[0]} %, alone $alone %;" \
      "the job ${shares[1]} %, lull itself ${shares[2]} %"
    # A foreground that wants both CPUs has alone what it has now and what the job has: in the same
    # seconds, since a machine's speed varies by more than 5 % here. What lull itself takes is 30 times
    # what it takes a machine. The second line is for what no group accounts for.
    (( shares[0] * 100 >= (shares[0] + shares[1]) * 95 )) || failed=yes
    (( (shares[0] + shares[2]) * 100 >= alone * 80 )) || failed=yes
  done
  stop "$place" foreground
done
# A job that is never adapted has the share of a program, also beside jobs that make way.
start app foreground "${spin[@]}"
group=$(group_of "$(main_pid_of app foreground)")
start app important lull run --policy important -- "${spin[@]}"
until_true 60 find_scope
until_true 60 pgrep -f lull-keeper > /dev/null
for beside in nothing 'another job'; do
  [[ $beside == nothing ]] || start app job lull run -- "${spin[@]}"
  sleep 4
  mapfile -t shares < <(cpu_of 5 "$scope" "$group")
  say "an important job beside a foreground and $beside: ${shares[0]} %, the foreground ${shares[1]} %"
  (( shares[0] * 100 >= shares[1] * 90 )) || failed=yes  # in 5 s they are not dealt out to a percent
done
for unit in job important foreground; do stop app "$unit"; done
[[ -z ${failed:-} ]] || die "see above"
