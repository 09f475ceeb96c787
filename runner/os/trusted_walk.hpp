#pragma once

#include "runner/os/fd.hpp"
#include "runner/os/trusted_file.hpp"

#include <sys/stat.h>

#include <string>
#include <string_view>

namespace lull::os {

/// A judged folder (O_PATH) and what it is called in messages.
struct Folder {
  Fd fd;
  std::string path;
};

/// An entry that is no symbolic link, in a judged folder.
struct Entry {
  Folder folder;
  std::string name;
};

/// FOLDER/NAME.
std::string child_path(const std::string& folder, std::string_view name);

/// Opens the folder at `path`, judging every folder and every symbolic link on the way. A relative
/// path starts at `start`.
Result<Folder> walk_to_folder(Folder start, const std::string& path, const Trust& trust);

/// Finds the entry at `path` the same way; whether it exists and what it is, is for the caller.
Result<Entry> walk_to_entry(Folder start, const std::string& path, const Trust& trust);

/// The root folder, judged like any other.
Result<Folder> root_folder(const Trust& trust);

/// Whether only trusted users could have changed what `fd` is: an error that names `path` and the
/// remedy otherwise.
Result<void> judge(int fd, const struct stat& status, const std::string& path, const Trust& trust);

}  // namespace lull::os
