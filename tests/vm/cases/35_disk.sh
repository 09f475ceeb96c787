#!/bin/bash
# where the foreground's own groups tell of its I/O, a job on its disk stops for it at once
# shellcheck source=../lib.sh
. /lull/lib.sh

disk=/dev/vdc
chmod a+rw "$disk"

# reads PLACE SECONDS: how many times a second one reads there, one after the other, times ten.
reads() {
  rm -f /tmp/reads
  launch "$1" reader bash -c "/lull/bin/bench_foreground randread $disk $2 > /tmp/reads.part; mv /tmp/reads.part /tmp/reads"
  until_true 60 test -e /tmp/reads
  jq '.per_s * 10 | floor' /tmp/reads
}
number=$(cat /sys/block/vdc/dev)
requests() { sed -n "s/^$number .*rios=\([0-9]*\).*/\1/p" "$scope/io.stat"; }

start_job() { start system job lull run -- /lull/bin/bench_job seqread "$disk" 300 /tmp/progress; }

for place in app system; do
  alone=$(reads "$place" 6)
  start_job
  until_true 60 find_scope
  sleep 3
  before=$(requests)
  sleep 3
  free=$(($(requests) - before))
  before=$(requests)
  beside=$(reads "$place" 8)
  held=$(($(requests) - before))
  sleep 2
  stop system job
  say "foreground in $place: $beside of $alone reads in 10 s; the job made $free requests in 3 s alone, $held in 8 s beside it"
  (( beside * 100 >= alone * 85 )) || failed=yes
done
[[ -z ${failed:-} ]] || die "see above"
