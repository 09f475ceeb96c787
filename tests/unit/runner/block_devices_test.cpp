#include "runner/os/block_devices.hpp"

#include "runner/os/kernel_text.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/fixture.hpp"
#include "tests/support/temp_folder.hpp"

#include <algorithm>

namespace {

using namespace lull;
using namespace lull::os;
using Names = std::vector<std::string>;

std::vector<BlockDevice> below(const std::string& machine, const Names& paths) {
  return devices_below(tests::fixture("machines/" + machine).string(), paths);
}

const BlockDevice& device(const std::vector<BlockDevice>& devices, const std::string& name) {
  const auto found = std::find_if(devices.begin(), devices.end(),
                                  [&](const BlockDevice& each) { return each.name == name; });
  if (found == devices.end()) throw std::runtime_error("no device " + name);
  return *found;
}

Names names(const std::vector<BlockDevice>& devices) {
  Names all;
  for (const BlockDevice& each : devices)
    all.push_back(each.name);
  std::sort(all.begin(), all.end());
  return all;
}

}  // namespace

TEST_CASE("block devices: LVM on dm-crypt leads to the NVMe below, which ignores classes") {
  const auto devices = below("nvme-lvm-crypt", {"/home/ana", "/etc"});
  CHECK(names(devices) == Names{"dm-0", "dm-1", "dm-2", "nvme0n1"});
  CHECK(device(devices, "dm-2") == BlockDevice{.name = "dm-2",
                                               .title = "vg-home",
                                               .kind = DeviceKind::mapper,
                                               .scheduler = "none",
                                               .available = {},
                                               .honours = Honours::nothing,
                                               .below = {"dm-0"},
                                               .paths = {"/home/ana"}});
  CHECK(device(devices, "dm-0").kind == DeviceKind::crypt);
  CHECK(device(devices, "dm-0").below == Names{"nvme0n1"});
  const BlockDevice& disk = device(devices, "nvme0n1");
  CHECK(disk.kind == DeviceKind::disk);
  CHECK(disk.scheduler == "none");
  CHECK(disk.available == Names{"none", "mq-deadline"});
  CHECK(disk.below.empty());
  CHECK(disk.paths == Names{"/home/ana", "/etc"});
  CHECK(is_below_crypt(devices, "nvme0n1"));
  CHECK_FALSE(is_below_crypt(devices, "dm-1"));
}

TEST_CASE("block devices: a loop device leads to the disks of its file") {
  const auto devices = below("nvme-lvm-crypt", {"/home/ana/My Pictures/2026"});
  CHECK(names(devices) == Names{"dm-0", "dm-2", "loop0", "nvme0n1"});
  CHECK(device(devices, "loop0").kind == DeviceKind::loop);
  CHECK(device(devices, "loop0").below == Names{"dm-2"});
  CHECK(device(devices, "loop0").honours == Honours::classes);  // 6.1, by its own mq-deadline
  CHECK_FALSE(is_below_crypt(devices, "loop0"));
}

TEST_CASE("block devices: a bind mount, a plain partition, a share and a memory file system") {
  const auto bind = below("nvme-lvm-crypt", {"/srv/x"});
  CHECK(names(bind) == Names{"dm-0", "dm-2", "nvme0n1"});
  const auto boot = below("nvme-lvm-crypt", {"/boot"});
  CHECK(names(boot) == Names{"nvme0n1"});
  CHECK_FALSE(is_below_crypt(boot, "nvme0n1"));
  const auto others = below("nvme-lvm-crypt", {"/mnt/nas/x", "/run/y"});
  CHECK(names(others) == Names{"nas:/export", "tmpfs"});
  CHECK(device(others, "nas:/export").kind == DeviceKind::none);
  CHECK(device(others, "nas:/export").title == "nfs4");
  CHECK(device(others, "nas:/export").paths == Names{"/mnt/nas/x"});
}

TEST_CASE("block devices: a RAID honours what its weakest disk does") {
  const auto devices = below("psi-off-no-autogroup", {"/home"});
  CHECK(names(devices) == Names{"md0", "sda", "sdb"});
  CHECK(device(devices, "md0").kind == DeviceKind::md);
  CHECK(device(devices, "md0").below == Names{"sda", "sdb"});
  CHECK(device(devices, "sda").honours == Honours::classes_and_levels);
  CHECK(device(devices, "sdb").honours == Honours::nothing);  // mq-deadline, but Linux 5.10
  CHECK(device(devices, "md0").honours == Honours::nothing);
}

TEST_CASE("block devices: a btrfs without a device number leads to all of its disks") {
  const std::string path = GENERATE("/srv/x", "/srv/photos", "/var/lib/box/y");
  CAPTURE(path);  // by a link in /dev, by the node's name, and by way of an overlay
  const auto devices = below("psi-off-no-autogroup", {path});
  CHECK(names(devices) == Names{"sdc", "sdd"});
  CHECK(device(devices, "sdd").honours == Honours::classes_and_levels);
  CHECK(device(devices, "sdd").paths == Names{path});
}

TEST_CASE("block devices: the mount of a path is the deepest, and the last on one point") {
  const std::vector<Mount> mounts{{"8:1", "/", "ext4", "/dev/sda1", ""},
                                  {"8:2", "/home", "ext4", "/dev/sda2", ""},
                                  {"8:3", "/home", "ext4", "/dev/sda3", ""},
                                  {"8:4", "/home/a", "ext4", "/dev/sda4", ""}};
  const std::vector<std::pair<std::string, std::string>> rows{
      {"/", "8:1"},       {"/homeless", "8:1"}, {"/home", "8:3"},   {"/home/b", "8:3"},
      {"/home/a", "8:4"}, {"/home/a/b", "8:4"}, {"/home/ab", "8:3"}};
  for (const auto& row : rows) {
    CAPTURE(row.first);
    CHECK(mount_of(mounts, row.first)->device == row.second);
  }
  CHECK(mount_of({}, "/") == nullptr);
}

TEST_CASE("block devices: a tree without anything, and a loop on its own file, end well") {
  const tests::TempFolder root;
  CHECK(devices_below(root.path(), {"/"}).empty());
  root.write("proc/self/mountinfo", "1 0 7:0 / / rw - ext4 /dev/loop0 rw\n");
  CHECK(devices_below(root.path(), {"/"}).front().kind == DeviceKind::none);
  root.write("sys/devices/loop0/loop/backing_file", "/image\n");
  std::filesystem::create_directories(root.path("sys/dev/block"));
  std::filesystem::create_symlink("../../devices/loop0", root.path("sys/dev/block/7:0"));
  const auto devices = devices_below(root.path(), {"/"});
  REQUIRE(devices.size() == 1);
  CHECK(devices.front().below == Names{"loop0"});
}

TEST_CASE("block devices: mountinfo is read with its optional fields and escapes") {
  const auto mounts =
      parse_mounts(
          "36 35 98:0 /r /mnt/a\\040b\\134c rw shared:1 master:2 - ext3 /dev/root rw\n"
          "37 35 0:9 / /o rw - overlay overlay rw,upperdir=/u\\054v,workdir=/w\n")
          .value();
  CHECK(mounts[0] == Mount{"98:0", "/mnt/a b\\c", "ext3", "/dev/root", ""});
  CHECK(mounts[1].upper == "/u,v");
  for (const char* bad : {"x", "36 35 98:0 / /a rw ext3 /dev/root rw", "36 35 98 / /a rw - a b c",
                          "36 35 9:x / /a rw - a b c", "36 35 98:0 / /a rw - ext3 /dev/root"}) {
    CAPTURE(bad);
    CHECK(parse_mounts(bad).has_error());
  }
  CHECK(unescape_mount("a\\04") == "a\\04");
  CHECK(unescape_mount("\\999") == "\\999");
}

TEST_CASE("block devices: the chosen scheduler is the one in brackets, or the only one") {
  CHECK(parse_schedulers("none [mq-deadline] kyber bfq \n").value() ==
        Schedulers{"mq-deadline", {"none", "mq-deadline", "kyber", "bfq"}});
  CHECK(parse_schedulers("[none] ").value() == Schedulers{"none", {"none"}});
  CHECK(parse_schedulers("none\n").value() == Schedulers{"none", {"none"}});
  for (const char* bad : {"", "\n", "a b", "[a] [b]", "[a", "a]", "[]", "a [b"}) {
    CAPTURE(bad);
    CHECK(parse_schedulers(bad).has_error());
  }
}

TEST_CASE("block devices: a kernel's version is its first two numbers") {
  CHECK(parse_kernel_version("6.1.0-25-amd64\n").value() == KernelVersion{6, 1});
  CHECK(parse_kernel_version("5.14-rc3").value() == KernelVersion{5, 14});
  CHECK(parse_kernel_version("10.0").value() == KernelVersion{10, 0});
  for (const char* bad : {"", "6", "6.", "x.1", "-6.1", "6.x", "6 .1"}) {
    CAPTURE(bad);
    CHECK(parse_kernel_version(bad).has_error());
  }
}

TEST_CASE("block devices: who honours classes, and since when") {
  struct Row {
    const char* scheduler;
    KernelVersion kernel;
    Honours honours;
  };
  const auto row = GENERATE(
      Row{"bfq", {5, 10}, Honours::classes_and_levels},
      Row{"mq-deadline", {5, 13}, Honours::nothing}, Row{"mq-deadline", {5, 14}, Honours::classes},
      Row{"kyber", {6, 18}, Honours::nothing}, Row{"none", {6, 18}, Honours::nothing},
      Row{"", {6, 18}, Honours::nothing});
  CAPTURE(row.scheduler, row.kernel.minor);
  CHECK(honours_of(row.scheduler, row.kernel) == row.honours);
}
