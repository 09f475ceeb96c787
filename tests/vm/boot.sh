#!/bin/bash
# boot.sh IMAGE PAYLOAD: boots a copy of the machine that image.sh has made in the folder IMAGE, runs
# PAYLOAD/guest.sh in it as root, prints what that prints and ends as it ends.
#
# By emulation, unless there is a KVM that takes any kernel: the guest is then some 30 times slower
# than this machine and its times mean little; ratios do.
set -euo pipefail

image=$1 payload=$2
patience=${LULL_VM_PATIENCE:-1500}  # seconds
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp --sparse=always "$image/disk.img" "$work/disk.img"
tar -cf "$work/payload.tar" -C "$payload" .
truncate -s 512M "$work/slow.img"

if [[ -w /dev/kvm && ! -d /sys/module/kvm_pvm ]]; then
  processor=(-accel kvm -cpu host)
else
  processor=(-accel 'tcg,thread=multi' -cpu Nehalem)  # boots sooner than `max`
fi
timeout "$patience" qemu-system-x86_64 "${processor[@]}" -smp 2 -m 512 \
  -display none -nodefaults -no-reboot \
  -kernel "$image/vmlinuz" -initrd "$image/initrd.img" \
  -append 'root=/dev/vda rw console=ttyS0 quiet psi=1 panic=-1 mitigations=off
           systemd.unit=lull-test.target systemd.show_status=0' \
  -drive "file=$work/disk.img,if=virtio,format=raw,cache=unsafe" \
  -drive "file=$work/payload.tar,if=virtio,format=raw,readonly=on" \
  -drive "file=$work/slow.img,if=virtio,format=raw,cache=unsafe,throttling.iops-total=200" \
  -serial "file:$work/console.log" -serial stdio < /dev/null |
  sed -u 's/\r//g' | tee "$work/report" | { grep --line-buffered -v '^guest exit code: ' || true; } ||
  echo "boot.sh: the machine ended with $?" >&2

code=$(sed -n 's/^guest exit code: //p' "$work/report")
if [[ -z $code ]]; then
  echo "boot.sh: the guest did not come to its end within $patience s; its console:" >&2
  tail -n 40 "$work/console.log" >&2
  exit 125
fi
exit "$code"
