#!/bin/bash
# whatever systemd does to the supervisor or to a job, the run's outcome has a name
# shellcheck source=../lib.sh
. /lull/lib.sh

for manager in user system; do
  for unit in "/lull/systemd/$manager"/*; do
    sed "s,/usr/bin/lull,/lull/bin/lull," "$unit" > "/etc/systemd/$manager/$(basename "$unit")"
  done
done

job ana nap 'command = ["sleep", "1000"]'
job ana short 'command = ["bash", "-c", "sleep 20"]'
control app daemon-reload
control app start lull

has_session() { [[ $(loginctl list-sessions --no-legend) == *" $1 "* ]]; }

# begin JOB: starts it, and sets `pid` to its main process and `scope` to its group.
begin() {
  as ana lull start "$1" > /dev/null
  until_true 60 is_running ana "$1"
  find_scope
  pid=$(head -n 1 "$scope/cgroup.procs")
}

# A restart leaves the job running, and the next supervisor learns how it ends.
begin short
control app restart lull
kill -0 "$pid" || die "the restart ended the job"
outcome_is ana short success 'a restart of the service meanwhile'

# So does a stop, for as long as there is no supervisor.
begin short
control app stop lull
kill -0 "$pid" || die "the stop ended the job"
until_true 60 gone "$pid"
control app start lull
outcome_is ana short success 'it ended while the service was stopped'

# A supervisor that hangs is started anew; the job goes on.
begin nap
before=$(main_pid_of app lull)
mkdir -p /etc/systemd/user/lull.service.d
printf '[Service]\nWatchdogSec=6\n' > /etc/systemd/user/lull.service.d/patience.conf
control app daemon-reload
control app restart lull
before=$(main_pid_of app lull)
kill -STOP "$before"
until_true 60 gone "$before"
until_true 60 main_pid_of app lull > /dev/null
kill -0 "$pid" || die "the watchdog ended the job"
rm -r /etc/systemd/user/lull.service.d
control app daemon-reload

# Stopped through its scope, by whoever: interrupted.
control app stop "$(basename "$scope")"
outcome_is ana nap interrupted 'systemctl stop of its scope, under a supervisor that the watchdog had killed before'

# Out of memory: the job fails and says so, the supervisor and the other jobs do not notice.
begin nap
job ana eater 'command = ["bash", "-c", "sleep 5; exec tail /dev/zero"]'
as ana lull reload
as ana lull start eater > /dev/null
until_true 60 is_running ana eater
eater=$(find /sys/fs/cgroup -type d -name 'lull-eater*.scope')
control app set-property --runtime "$(basename "$eater")" MemoryMax=30M MemorySwapMax=0
outcome_is ana eater failed 'out of memory'
[[ $(as ana lull history eater) == *'out of memory'* ]] || die "the history does not say why"
kill -0 "$pid" || die "it took another job along"

# A session's end does not matter to who lingers.
start session login sleep 5
sleep 8
kill -0 "$pid" || die "the logout ended the job of one who lingers"
as ana lull stop nap > /dev/null
outcome_is ana nap stopped 'lull stop, after a logout of one who lingers'

# Without linger the manager goes with the last session, and the job with it.
job ben nap 'command = ["sleep", "1000"]'
systemd-run --quiet --collect --unit=login -p User=ben -p PAMName=login sleep 1000
until_true 60 has_session ben
loginctl disable-linger ben
control other start lull
as ben lull start nap > /dev/null
until_true 60 is_running ben nap
systemctl stop login
until_true 120 test ! -e /run/user/1001/systemd/private
loginctl enable-linger ben
until_true 60 test -e /run/user/1001/systemd/private
control other start lull
outcome_is ben nap interrupted 'the last logout of one who does not linger'
control other stop lull
control app stop lull
