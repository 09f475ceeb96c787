#pragma once

#include "jobs/result.hpp"
#include "jobs/spawn_plan.hpp"
#include "runner/os/fd.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lull::os {

/// Who may have written what an instance believes: root always, and these.
struct Trust {
  std::uint32_t uid = 0;
  /// The user's own group, if nobody else is in it: its members are the user, so they may write.
  std::optional<std::uint32_t> private_group;
  /// Where anyone may link to root's files (fs.protected_hardlinks=0), a second name could bring a
  /// file of root's to a place where it was never meant to be read.
  bool refuse_hard_links = false;
};

/// What the instance of `self` trusts; looks its group up.
Trust trust_of(const Account& self);

/// Tells two states of a file apart without reading it.
struct Fingerprint {
  std::int64_t modified_ns = 0;
  std::uint64_t size = 0;
  std::uint64_t inode = 0;
  bool operator==(const Fingerprint&) const = default;
};

/// A file's text, which is believed.
struct TrustedText {
  std::string text;
  Fingerprint fingerprint;
};

/// A folder that was judged together with all folders above it, so that its files cost an open and
/// a look each. The judgement is about what was opened: the folder is held open, and renaming or
/// replacing its path afterwards changes nothing.
class TrustedDirectory {
 public:
  /// Refuses a folder that others could change, or put another in the place of. Error code ENOENT:
  /// there is none.
  static Result<TrustedDirectory> open(const std::string& path, const Trust& trust);

  /// Reads a regular file of at most 1 MiB that only trusted users could have written. A symbolic
  /// link is followed if a trusted user made it, and its target's folders are judged as well. The
  /// error says what to do: "/etc/lull/jobs/a.toml is writable by others: chmod o-w …".
  [[nodiscard]] Result<TrustedText> read(const std::string& name) const;

  /// The names of all entries, sorted.
  [[nodiscard]] Result<std::vector<std::string>> names() const;

 private:
  TrustedDirectory(Fd folder, std::string path, const Trust& trust)
      : folder_(std::move(folder)), path_(std::move(path)), trust_(trust) {}

  Fd folder_;
  std::string path_;
  Trust trust_;
};

/// One file by its absolute path, see TrustedDirectory.
Result<TrustedText> read_trusted_file(const std::string& path, const Trust& trust);

}  // namespace lull::os
