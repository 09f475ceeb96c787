#!/bin/bash
# weights, I/O weight and freeze go down and up with the foreground, and outlive a daemon-reload
# shellcheck source=../lib.sh
. /lull/lib.sh

modprobe bfq
echo bfq > /sys/block/vdc/queue/scheduler

# The manager's work for a change of level takes a machine 2 ms, but this one as long as lull takes
# between two looks: by default that is somebody who wants a CPU.
settings=(/etc/lull/lull.toml /home/ana/.config/lull/lull.toml)
mkdir -p /etc/lull
as ana mkdir -p /home/ana/.config/lull
printf '[foreground]\nbusy_cpu = "120%%"\n' | tee "${settings[@]}" > /dev/null
trap 'rm "${settings[@]}"' EXIT

# Both the scope and the slice above it. By builtins alone: a program more would be a foreground.
are() {
  local folder value
  for folder in "$scope" "${scope%/*}"; do
    read -r value < "$folder/$1" && [[ $value == "$2" ]] || return
  done
}
io_weight_is() { [[ $(< "$scope/io.bfq.weight") == "default $1" ]]; }
are_light() { are cpu.weight 4 && are cpu.idle 0; }  # nice 15

for runner in app system; do
  start "$runner" job lull run -- "${spin[@]}"
  until_true 60 find_scope
  say "$runner: ${scope#/sys/fs/cgroup}"
  until_true 60 are_light

  start "$runner" foreground "${spin[@]}"
  until_true 30 are cpu.idle 1
  control "$runner" daemon-reload
  are cpu.idle 1 || die "a daemon-reload gave the job or its slice the old weight"
  # A user's manager has no io controller to hand on, unless an administrator delegates it.
  [[ $runner == app ]] || until_true 5 io_weight_is 1
  stop "$runner" foreground
  until_true 60 are_light
  [[ $runner == app ]] || until_true 5 io_weight_is 3

  # Nothing ranks a user's job beside a login session; root's slice is at the top.
  if [[ $runner == app ]]; then
    start session foreground "${spin[@]}"
    until_true 30 grep -q 'frozen 1' "$scope/cgroup.events"
    stop session foreground
    until_true 60 grep -q 'frozen 0' "$scope/cgroup.events"
  fi
  stop "$runner" job
done
