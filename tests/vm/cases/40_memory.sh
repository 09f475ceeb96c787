#!/bin/bash
# beside a tar of twice the memory, what somebody works with stays in the cache
# shellcheck source=../lib.sh
. /lull/lib.sh

# Holes fill the page cache as data does, and cost no disk.
kib=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
work=/home/ana/work huge=/home/ana/huge
# More than half of the memory: the kernel defends less than that against a single pass by itself.
as ana truncate -s $((kib * 6 / 10))K "$work"
as ana truncate -s $((kib * 2))K "$huge"
pages=$((kib * 6 / 10 / 4))
cat > /tmp/work.sh <<'END'
exec {never}<> <(:)
while :; do
  cat /home/ana/work > /dev/null
  read -rt 4 -u "$never"
done
END

# It is not paused: what is looked at is the memory. The limit fits into what is free beside the work,
# some 60 MB here; were there less, the kernel would have to take from both.
cat > /tmp/limited.toml <<END
script = "tar -c $huge | cat > /dev/null"
[priority]
policy = "standard"
[limits]
memory = "32MiB"
END
sed '/limits/,$d' /tmp/limited.toml > /tmp/plain.toml

refaults() { sed -n 's/^workingset_refault_file //p' "$group/memory.stat"; }

# lost CMD...: how much of its file the foreground loses meanwhile, in percent.
lost() {
  local before
  before=$(refaults)
  "$@"
  sleep 8  # so that it has read it all once more
  say $((100 * ($(refaults) - before) / pages))
}
beside() { user_run ana --wait lull run --job "/tmp/$1.toml"; }

start app foreground bash /tmp/work.sh
group=$(group_of "$(main_pid_of app foreground)")
sleep 12
alone=$(lost sleep 8)
with=$(lost beside limited)
without=$(lost beside plain)
say "lost from the cache: alone $alone %, beside the job with memory.high $with %, without $without %"
at_most "$with" $((alone + 10)) 'with memory.high'
at_least "$without" 50 'without it'
stop app foreground
rm -f "$work" "$huge"
