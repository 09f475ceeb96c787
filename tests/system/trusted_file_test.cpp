#include "runner/os/trusted_file.hpp"

#include "runner/os/account.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

using namespace lull;
using namespace lull::os;
using lull::tests::TempFolder;

namespace {

constexpr uid_t kStranger = 4242;

bool is_root() { return ::geteuid() == 0; }

Trust own_trust() { return {::geteuid(), std::nullopt, false}; }

void set_mode(const std::string& path, mode_t mode) { REQUIRE(::chmod(path.c_str(), mode) == 0); }

/// The text, or why there is none.
std::string text_of(const Result<TrustedText>& file) {
  return file ? file.value().text : "error: " + file.error().what();
}

std::string read(const std::string& path, const Trust& trust = own_trust()) {
  return text_of(read_trusted_file(path, trust));
}

/// A folder whose path has no symbolic link, for messages that name it.
struct Config {
  TempFolder folder;
  std::string path = std::filesystem::canonical(folder.path());
  std::string file = path + "/job.toml";
  Config() {
    folder.write("job.toml", "text");
    set_mode(file, 0644);
  }
};

/// Makes a path look as if it belonged to someone untrusted: root gives it away; anyone else, who
/// cannot, reads it as another user's instance would.
Trust as_strangers(const std::string& path) {
  if (!is_root()) return {kStranger, std::nullopt, false};
  REQUIRE(::lchown(path.c_str(), kStranger, kStranger) == 0);
  return own_trust();
}

}  // namespace

TEST_CASE("trusted files: a private file in private folders is read, with its fingerprint") {
  const Config config;
  const auto file = read_trusted_file(config.file, own_trust());
  REQUIRE(file.has_value());
  struct stat status {};
  REQUIRE(::stat(config.file.c_str(), &status) == 0);
  CHECK(file.value().text == "text");
  CHECK(file.value().fingerprint.size == 4);
  CHECK(file.value().fingerprint.inode == status.st_ino);
  CHECK(file.value().fingerprint.modified_ns / 1'000'000'000 == status.st_mtim.tv_sec);
}

TEST_CASE("trusted files: one that others may write is refused with the remedy") {
  const Config config;
  set_mode(config.file, 0646);
  CHECK(read(config.file) ==
        "error: " + config.file + " is writable by others: chmod o-w " + config.file);
}

TEST_CASE("trusted files: the group may write only if it is the owner's private one") {
  const Config config;
  set_mode(config.file, 0664);
  struct stat status {};
  REQUIRE(::stat(config.file.c_str(), &status) == 0);
  CHECK(read(config.file) == "error: " + config.file + " is writable by group " +
                                 std::to_string(status.st_gid) + ": chmod g-w " + config.file);
  auto trust = own_trust();
  trust.private_group = status.st_gid;
  CHECK(read(config.file, trust) == "text");
  trust.private_group = status.st_gid + 1;
  CHECK_THAT(read(config.file, trust), ContainsSubstring("is writable by group"));
}

TEST_CASE("trusted files: a stranger's file and a stranger's folder are refused") {
  SECTION("file") {
    const Config config;
    const auto trust = as_strangers(config.file);
    CHECK_THAT(read(config.file, trust), ContainsSubstring(", who could change it: chown"));
  }
  SECTION("folder") {
    const Config config;
    const auto trust = as_strangers(config.path);
    // To another user's instance the folders above, which TMPDIR may name, are a stranger's too.
    const std::string folder = is_root() ? "error: " + config.path : "";
    CHECK_THAT(read(config.file, trust), ContainsSubstring(folder + " belongs to user "));
  }
}

TEST_CASE("trusted files: a folder that others may write is refused wherever it stands") {
  const Config config;
  config.folder.write("a/b/job.toml", "deep");
  CHECK(read(config.path + "/a/b/job.toml") == "deep");
  set_mode(config.path + "/a", 0777);
  CHECK(read(config.path + "/a/b/job.toml") ==
        "error: " + config.path + "/a is writable by others: chmod o-w " + config.path + "/a");
  CHECK(read(config.file) == "text");
}

TEST_CASE("trusted files: a sticky folder is as good as a private one") {
  const Config config;
  set_mode(config.path, 01777);
  CHECK(read(config.file) == "text");
}

TEST_CASE("trusted files: links of trusted users are followed, and where they lead is judged") {
  const Config config;
  config.folder.write("elsewhere/real.toml", "real");
  std::filesystem::create_symlink("elsewhere/real.toml", config.path + "/relative.toml");
  std::filesystem::create_symlink(config.path + "/relative.toml", config.path + "/absolute.toml");
  std::filesystem::create_symlink("elsewhere", config.path + "/folder");
  std::filesystem::create_symlink("loop.toml", config.path + "/loop.toml");
  const auto folder = TrustedDirectory::open(config.path, own_trust());
  REQUIRE(folder.has_value());
  CHECK(text_of(folder.value().read("relative.toml")) == "real");
  CHECK(text_of(folder.value().read("absolute.toml")) == "real");
  CHECK(read(config.path + "/folder/../elsewhere/./real.toml") == "real");
  CHECK(read(config.path + "/folder/real.toml") == "real");
  CHECK_THAT(text_of(folder.value().read("loop.toml")),
             ContainsSubstring("has too many symbolic links"));
  set_mode(config.path + "/elsewhere", 0777);
  CHECK_THAT(text_of(folder.value().read("absolute.toml")),
             ContainsSubstring("/elsewhere is writable by others"));
}

TEST_CASE("trusted files: a stranger's link is refused") {
  const Config config;
  std::filesystem::create_symlink("job.toml", config.path + "/link.toml");
  if (is_root()) {
    const auto trust = as_strangers(config.path + "/link.toml");
    CHECK(read(config.path + "/link.toml", trust) ==
          "error: the symbolic link " + config.path +
              "/link.toml belongs to user 4242, who could lead it elsewhere: remove it");
    return;
  }
  // Who cannot give links away finds a folder of root's to which everyone may add them: to the
  // instance of another user, ours is a stranger's.
  const auto link = "/tmp/lull-test-link." + std::to_string(::getpid());
  std::filesystem::create_symlink(config.file, link);
  const auto refused = read(link, {kStranger, std::nullopt, false});
  std::filesystem::remove(link);
  CHECK_THAT(refused, ContainsSubstring("the symbolic link " + link + " belongs to user"));
}

TEST_CASE("trusted files: hard links are refused where the instance says so") {
  const Config config;
  std::filesystem::create_hard_link(config.file, config.path + "/other.toml");
  auto trust = own_trust();
  CHECK(read(config.file, trust) == "text");
  trust.refuse_hard_links = true;
  CHECK_THAT(read(config.file, trust), ContainsSubstring("has more than one name (hard link)"));
}

TEST_CASE("trusted files: only regular files of a sensible size are read") {
  const Config config;
  std::filesystem::create_directory(config.path + "/folder.toml");
  REQUIRE(::mkfifo((config.path + "/fifo.toml").c_str(), 0600) == 0);
  config.folder.write("empty.toml", "");
  config.folder.write("largest.toml", std::string(1U << 20U, 'x'));
  config.folder.write("larger.toml", std::string((1U << 20U) + 1, 'x'));
  CHECK_THAT(read(config.path + "/folder.toml"), ContainsSubstring("is no regular file"));
  CHECK_THAT(read(config.path + "/fifo.toml"), ContainsSubstring("is no regular file"));
  CHECK_THAT(read("/dev/null"), ContainsSubstring("is no regular file"));
  CHECK(read(config.path + "/empty.toml").empty());
  CHECK(read(config.path + "/largest.toml").size() == 1U << 20U);
  CHECK_THAT(read(config.path + "/larger.toml"), ContainsSubstring("is larger than 1 MiB"));
}

TEST_CASE("trusted files: what is missing is told from what is refused") {
  const Config config;
  const auto missing = read_trusted_file(config.path + "/none.toml", own_trust());
  REQUIRE(missing.has_error());
  CHECK(missing.error().code() == ENOENT);
  CHECK(TrustedDirectory::open(config.path + "/none", own_trust()).error().code() == ENOENT);
  CHECK(TrustedDirectory::open(config.file, own_trust()).error().code() == ENOTDIR);
  CHECK(TrustedDirectory::open("relative", own_trust()).has_error());
}

TEST_CASE("TrustedDirectory: stays the folder that was judged when its path is given away") {
  const Config config;
  config.folder.write("jobs/a.toml", "judged");
  const auto folder = TrustedDirectory::open(config.path + "/jobs", own_trust());
  REQUIRE(folder.has_value());
  std::filesystem::rename(config.path + "/jobs", config.path + "/moved");
  config.folder.write("jobs/a.toml", "another");
  CHECK(text_of(folder.value().read("a.toml")) == "judged");
}

TEST_CASE("TrustedDirectory: lists all names, sorted") {
  const Config config;
  config.folder.write("b.toml", "");
  config.folder.write(".hidden", "");
  const auto folder = TrustedDirectory::open(config.path, own_trust());
  REQUIRE(folder.has_value());
  CHECK(folder.value().names().value() ==
        std::vector<std::string>{".hidden", "b.toml", "job.toml"});
}

TEST_CASE("trust_of: trusts oneself, and hard links only outside the system instance") {
  const auto trust = trust_of(own_account().value());
  CHECK(trust.uid == ::getuid());
  CHECK(trust.refuse_hard_links == is_root());
  Account shared = own_account().value();
  shared.name = "nobody-of-this-name";
  CHECK_FALSE(trust_of(shared).private_group);
}
