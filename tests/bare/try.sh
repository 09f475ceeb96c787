#!/bin/bash
# try.sh [--keep] [COMMAND...]: does a bare machine need anything beforehand?
#
# For each COMMAND ("./dev run" and "./dev test" when none is given) a new chroot: Debian 12 with
# nothing but the essential packages, apt, git and ca-certificates; a fresh clone of the last commit
# in /root; the command as the only one typed, with no terminal and hardly any environment. Prints
# how long it took and how it ended; the output is kept in FOLDER/*.log only with --keep.
#
# Needs root, mmdebstrap, and 5 GB in $TMPDIR (/var/tmp). Packages come from where this machine's own
# come from: BARE_SOURCES (a sources.list or .sources file), else what Debian's installer wrote.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
keep=no
work=$(mktemp -d -p "${TMPDIR:-/var/tmp}" lull-bare.XXXXXX)

die() { printf 'try.sh: %s\n' "$*" >&2; exit 1; }

# Nothing is mounted there in our namespace, so this removes nothing but the chroots.
# shellcheck disable=SC2317  # reached by the trap
clean_up() {
  [[ $keep == no ]] || { printf 'kept: %s\n' "$work"; return; }
  rm -rf --one-file-system "$work"
}
trap clean_up EXIT

sources() {
  local file
  for file in "${BARE_SOURCES:-}" /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    [[ -z $file || ! -s $file ]] || { printf '%s\n' "$file"; return; }
  done
  die "no list of package sources found: name one in BARE_SOURCES"
}

# How this machine reaches its sources (a proxy, say) holds in the chroot as well.
apt_settings() {
  apt-config dump | grep -E '^Acquire::(https?::Proxy|Check-)[^ ]* "[^"]' || true
}

make_base() {
  apt_settings > "$work/apt.conf"
  mmdebstrap --quiet --variant=minbase --include=git,ca-certificates \
    --aptopt="$work/apt.conf" bookworm "$work/base.tar" "$(sources)"
}

# in_chroot FOLDER COMMAND: in namespaces of its own, so that no mount and no process outlives it.
in_chroot() {
  # shellcheck disable=SC2016  # expanded by the inner bash
  unshare --mount --pid --fork --kill-child bash -euc '
    mount --bind "$1" "$1"  # a root that is a mount, so that what runs there may unshare
    cd "$1"
    mount -t proc proc proc
    mount --rbind /sys sys
    mount --rbind /dev dev
    mount -t tmpfs tmpfs run
    exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
      http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
      chroot . bash -c "cd /root/lull && $2"' in_chroot "$1" "$2" < /dev/null
}

# try COMMAND NUMBER
try() {
  local machine=$work/$2 started=$SECONDS verdict=passed
  mkdir "$machine"
  tar -xf "$work/base.tar" -C "$machine"
  git clone --quiet --no-local "$root" "$machine/root/lull"
  in_chroot "$machine" "$1" 2>&1 | tee "$work/$2.log" || verdict=FAILED
  results+=("$(printf '%-7s %-14s %d min %02d s' \
    "$verdict" "$1" $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)))")
  rm -rf --one-file-system "$machine"
  [[ $verdict == passed ]]
}

[[ ${1:-} != --keep ]] || { keep=yes; shift; }
(( EUID == 0 )) || die "a chroot needs root"
command -v mmdebstrap > /dev/null || die "apt-get install mmdebstrap"
commands=("$@")
(( $# > 0 )) || commands=("./dev run" "./dev test")

make_base
results=() failed=0
for number in "${!commands[@]}"; do
  try "${commands[number]}" "$number" || failed=1
done
printf '\non a bare Debian 12, %s:\n' "$(git -C "$root" log -1 --format='%h (%s)')"
printf '%s\n' "${results[@]}"
exit "$failed"
