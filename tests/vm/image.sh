#!/bin/bash
# image.sh FOLDER PACKAGE...: makes a Debian 12 with these packages that can be booted, as
# FOLDER/{disk.img,vmlinuz,initrd.img}. It is made once for a list of packages and a state of this
# script. Needs root.
#
# Its PID 1 is systemd, with the unified cgroup hierarchy alone, logind, and two users that linger:
# ana (1000) and ben (1001). What it does once booted is on its second disk: boot.sh.
set -euo pipefail

folder=$1
shift
mkdir -p "$(dirname "$folder")"
exec {lock}> "$folder.lock"
flock "$lock"
made_of=$(printf '%s\n' "$@" | cat - "$0" | sha256sum)
[[ $(cat "$folder/made-of" 2> /dev/null) != "$made_of" ]] || exit 0

rm -rf "$folder"
mkdir -p "$folder"
root=$folder/root
packages=$(IFS=,; printf '%s' "$*")
mmdebstrap --quiet --variant=minbase --include="$packages" bookworm "$root"

mv "$root"/boot/vmlinuz-* "$folder/vmlinuz"
mv "$root"/boot/initrd.img-* "$folder/initrd.img"
echo lull-test > "$root/etc/hostname"
echo '/dev/vda / ext4 noatime 0 1' > "$root/etc/fstab"
# shellcheck disable=SC2016  # expanded inside
chroot "$root" sh -euc '
  passwd -q -d root
  for user in ana ben; do
    useradd -m -s /bin/bash "$user"
    passwd -q -d "$user"
    mkdir -p /var/lib/systemd/linger
    touch "/var/lib/systemd/linger/$user"
  done
  systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    fstrim.timer getty@tty1.service serial-getty@ttyS0.service systemd-pstore.service \
    e2scrub_reap.service' > /dev/null 2>&1

cat > "$root/etc/systemd/system/lull-test.service" <<'UNIT'
[Unit]
Description=the tests on the second disk
After=multi-user.target user@1000.service user@1001.service
Wants=user@1000.service user@1001.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/lull-test
TimeoutStartSec=infinity
UNIT
cat > "$root/etc/systemd/system/lull-test.target" <<'UNIT'
[Unit]
Requires=multi-user.target
Wants=lull-test.service
After=multi-user.target
AllowIsolate=yes
UNIT
# The report goes out on the second serial port, the first is the console.
cat > "$root/usr/local/sbin/lull-test" <<'SCRIPT'
#!/bin/bash
exec > /dev/ttyS1 2>&1 < /dev/null
stty -F /dev/ttyS1 raw -echo
mkdir -p /lull
tar -xf /dev/vdb -C /lull --no-same-owner
chmod -R go+rX /lull
/lull/guest.sh
echo "guest exit code: $?"
systemctl poweroff --force --force
SCRIPT
chmod 755 "$root/usr/local/sbin/lull-test"

mke2fs -q -t ext4 -d "$root" "$folder/disk.img" 2G
rm -rf "$root"
printf '%s\n' "$made_of" > "$folder/made-of"
