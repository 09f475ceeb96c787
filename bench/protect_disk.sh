# The parts of protect.sh that are about a disk: sourced by it. The disk is a loop device over a file
# that has real data in it, past the page cache, so that a scheduler can be chosen for it.
# shellcheck shell=bash disable=SC2154  # what protect.sh sets

disk=''       # the loop device
mounted=''    # where its file system is
queues=()     # the queue/scheduler files of it and of the disk below,
schedulers=() # and what they were

# make_disk: fails where we may not; made once.
make_disk() {
  local below
  [[ -z $disk ]] || return 0
  if (( EUID != 0 )); then
    note 'skipped: a disk of our own needs root'
    return 1
  fi
  head -c 1G /dev/urandom > "$work/disk"
  sync "$work/disk"
  disk=$(losetup --find --show --direct-io=on "$work/disk") || die 'no loop device'
  chmod o+r "$disk"  # for jobs of nobody's
  below=$(findmnt -n -o SOURCE -T "$work/disk")
  below=$(readlink -f "/sys/class/block/${below##*/}")
  [[ ! -e $below/partition ]] || below=$(dirname "$below")
  remember_scheduler "/sys/class/block/${disk##*/}/queue/scheduler"
  remember_scheduler "$below/queue/scheduler"
}

remember_scheduler() {
  local now
  [[ -w $1 ]] || return 0
  now=$(< "$1")
  now=${now#*[}
  queues+=("$1") schedulers+=("${now%]*}")
}

# use_scheduler NAME: for both; bfq may be a module.
use_scheduler() {
  local queue
  for queue in "${queues[@]}"; do
    echo "$1" 2> /dev/null > "$queue" || { note "skipped: no scheduler $1 here"; return 1; }
  done
}

restore_schedulers() {
  local i
  for i in "${!queues[@]}"; do echo "${schedulers[i]}" > "${queues[i]}" || true; done
}

mount_disk() {
  mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 "$disk"
  mkdir "$work/mounted"
  mount "$disk" "$work/mounted"
  mounted=$work/mounted
  chmod 1777 "$mounted"
}

unmount_disk() {
  [[ -z $mounted ]] || umount "$mounted" || umount -l "$mounted" || true
  [[ -z $mounted ]] || rmdir "$mounted" || true
  mounted=''
}

remove_disk() {
  restore_schedulers
  unmount_disk
  [[ -z $disk ]] || chmod o-r "$disk" || true
  [[ -z $disk ]] || losetup -d "$disk" || true
  disk=''
}

readers() { compare 1 "$work/bin/bench_job" seqread "$disk" 300 %P -- "$@"; }

measure_I1() {
  local scheduler
  ways disk
  for scheduler in none mq-deadline bfq; do
    section "I1: 4k random reads one by one beside a sequential reader, $scheduler; $rounds rounds of $seconds s"
    make_disk || return 0
    use_scheduler "$scheduler" || continue
    readers per_s p50_us p99_us -- randread "$disk" "$seconds"
    compared per_s "$( [[ $scheduler == none ]] && echo '>= 0.96' || echo '>= 0.97')"
    compared p50_us ''
    compared p99_us '<= 1.3'
    shares_of "$memory/free.job" '' 'job'
  done
  restore_schedulers
}

measure_sparse() {
  ways disk
  section "sparse: such a read every 30 ms, none; $rounds rounds of $((2 * seconds)) s"
  make_disk || return 0
  use_scheduler none || return 0
  readers p50_us p95_us -- randread "$disk" "$((2 * seconds))" 30
  compared p50_us '<= 1.1'
  compared p95_us '<= 1.5'
  shares_of "$memory/free.job" '' 'job'
  restore_schedulers
}

measure_I2() {
  local scheduler
  ways disk
  for scheduler in none mq-deadline; do
    section "I2: 4k random reads beside buffered writes, $scheduler; $rounds rounds of $seconds s"
    make_disk || return 0
    use_scheduler "$scheduler" || continue
    mount_disk
    compare 1 "$work/bin/bench_job" bufwrite "$mounted/%V" 300 %P -- per_s p99_us -- \
      randread "$disk" "$seconds"
    compared per_s '>= 0.9'
    compared p99_us ''
    shares_of "$memory/free.job" '' 'job'
    unmount_disk
  done
  restore_schedulers
}

measure_I4() {
  ways disk
  section "I4: 20 durable SQLite commits a second beside rsync of small files; $rounds rounds of $seconds s"
  make_disk || return 0
  mount_disk
  mkdir "$mounted"/{tree,commits}
  (cd "$mounted/tree" && head -c 20M "$work/disk" | split -a 4 -b 4096 -)
  # shellcheck disable=SC2016  # the inner shell's
  compare 1 bash -c 'while rm -rf "$1" && rsync -a "$0/" "$1"; do :; done' \
    "$mounted/tree" "$mounted/%V/copy" -- p50_us p99_us -- commits "$mounted/commits" "$seconds" 20
  compared p50_us ''
  compared p99_us ''
  unmount_disk
}
