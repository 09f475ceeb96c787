#!/bin/bash
# each slot exactly once, whatever becomes of the clock, the time zone and sleep
# shellcheck source=../lib.sh
. /lull/lib.sh

zone_before=$(readlink /etc/localtime || true)
wall_before=$(date +%s) uptime_before=$(cut -d . -f 1 /proc/uptime)
restore() {
  date -s "@$((wall_before + $(cut -d . -f 1 /proc/uptime) - uptime_before))" > /dev/null
  [[ -z $zone_before ]] || ln -sf "$zone_before" /etc/localtime
  rm -f /home/ana/.config/lull/lull.toml /home/ana/.config/lull/jobs/{noon,awake}.toml
  control app stop lull
}
trap restore EXIT

# set_clock TIME: a time of 2026, UTC.
set_clock() { date -u -s "2026-$1" > /dev/null; }
runs_of() { as ana lull history "$1" --json | jq 'map(select(.outcome == "success")) | length'; }
has_run() { [[ $(runs_of "$1") == "$2" ]]; }
next_of() { as ana lull status "$1" --json | jq -r '.[0].next'; }
next_is() { [[ $(next_of "$1") == "$2" ]]; }

for unit in /lull/systemd/user/*; do
  sed "s,/usr/bin/lull,/lull/bin/lull," "$unit" > "/etc/systemd/user/$(basename "$unit")"
done
timedatectl set-timezone Etc/UTC
set_clock '03-10 10:00'
as ana mkdir -p /home/ana/.config/lull
as ana tee /home/ana/.config/lull/lull.toml > /dev/null <<< 'settle = "0s"'
job ana noon 'command = ["true"]
[schedule]
at = "12:00"'
control app daemon-reload
control app start lull
until_true 60 next_is noon 2026-03-10T12:00:00+00:00

lull=$(control app show -P MainPID lull.service)
for _ in {1..150}; do  # also in the moment in which lull sets its timer, as it does after a reload
  set_clock '03-10 10:00'
  touch /home/ana/.config/lull/jobs/noon.toml
  set_clock '03-10 10:01'
done
[[ $(control app show -P MainPID lull.service) == "$lull" ]] || die 'lull was started anew'
until_true 20 next_is noon 2026-03-10T12:00:00+00:00
say 'the clock set 300 times beside reloads: lull goes on'

set_clock '03-10 11:59:57'
until_true 60 has_run noon 1
until_true 20 next_is noon 2026-03-11T12:00:00+00:00
say 'the clock set to right before a slot: its run came on time'

set_clock '03-13 09:00'
until_true 60 has_run noon 2
[[ $(as ana lull history noon --json | jq -r '.[0].trigger') == catch-up ]] || die 'no catch-up'
until_true 20 next_is noon 2026-03-13T12:00:00+00:00
say 'set forwards over two slots: one run for both'

set_clock '03-12 11:59:57'
until_true 20 next_is noon 2026-03-13T12:00:00+00:00
pause 10
has_run noon 2 || die 'the slot of the 12th ran twice'
say 'set back before a slot that had its run: it does not come again'

timedatectl set-timezone Asia/Tokyo
until_true 20 next_is noon 2026-03-13T12:00:00+09:00
set_clock '03-13 02:59:57'
until_true 60 has_run noon 3
until_true 20 next_is noon 2026-03-14T12:00:00+09:00
say 'a new time zone: noon is its noon'

timedatectl set-timezone Europe/Berlin
set_clock '03-28 23:00'
until_true 60 has_run noon 4
until_true 20 next_is noon 2026-03-29T12:00:00+02:00
set_clock '03-29 09:59:57'
until_true 60 has_run noon 5
say 'over the change to summer time: noon is noon'
