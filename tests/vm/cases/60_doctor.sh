#!/bin/bash
# doctor says beside what a weight protects, proves it, and names a remedy that works where none does
# shellcheck source=../lib.sh
. /lull/lib.sh

# One that lives in each place.
for place in app session other system; do start "$place" "someone-$place" sleep 1000; done

# examine RUNNER: sets `found` to what doctor says there, and `session` to the login session's name.
examine() {
  rm -f /tmp/doctor.json
  launch "$1" doctor bash -c '/lull/bin/lull doctor --json > /tmp/doctor.part; mv /tmp/doctor.part /tmp/doctor.json'
  [[ $1 != session ]] || until_true 20 main_pid_of session doctor > /dev/null
  session=$(basename "$(group_of "$(main_pid_of session "${2:-someone-session}")")")
  until_true 60 test -e /tmp/doctor.json
  found=$(cat /tmp/doctor.json)
  rm -f /tmp/doctor.json
}
# told LIST KEY FIELD: what it says of one.
told() { jq -r --arg name "$2" ".$1[] | select((.place // .knob) == \$name) | .$3" <<< "$found"; }
# is_found WHO PLACE VERDICT [measured]
is_found() {
  say "$1's jobs beside $2: $(told beside "$2" verdict), measured: $(told beside "$2" measured)"
  [[ $(told beside "$2" verdict) == "$3" ]] || die "wanted: $3; $(jq -c .beside <<< "$found")"
  [[ -z ${4:-} || $(told beside "$2" measured) == *'% of one CPU'* ]] || die 'it was not tried'
}

examine app
is_found ana app.slice works measured
is_found ana "$session" 'no effect'
is_found ana user-1001.slice 'no effect'
is_found ana system.slice 'no effect'
[[ $(told beside system.slice fix) == *"root's lull"* ]] || die 'no remedy beside a system service'
[[ $(told knobs io.weight fix) == *'Delegate=cpu io memory pids'* ]] || die 'no remedy for I/O'

examine session doctor
is_found ana "$session" 'no effect' measured

# What it says is to be done, done.
fix=$(told beside "$session" fix)
say "$fix"
fix=${fix#*\`}
eval "${fix%%\`*}"
examine session doctor
is_found ana "$session" works measured

# Now the weight protects: the job is not paused for want of one, which would last for max_pause.
start session foreground "${spin[@]}"
group=$(group_of "$(main_pid_of session foreground)")
alone=$(cpu_of 4 "$group")
start app job lull run -- "${spin[@]}"
until_true 60 find_scope
sleep 4
until_true 60 grep -q 'frozen 0' "$scope/cgroup.events"
beside=$(cpu_of 6 "$group")
say "foreground in a session, after the remedy: $beside % of $alone %"
at_least $((beside * 100)) $((alone * 95)) 'the foreground has'
stop app job
stop session foreground

examine system
is_found root user.slice works measured
is_found root system.slice works measured
