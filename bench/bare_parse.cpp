// bench_bare_parse read|parse FOLDER: opens, reads and closes every file of FOLDER; `parse` hands
// each to toml++ too, and forgets what comes out. Nothing is checked. Prints the seconds it took.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

namespace {

bool read_file(int folder, const char* name, std::string& text) {
  const int fd = ::openat(folder, name, O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) return false;
  text.resize(static_cast<std::size_t>(status.st_size));
  const bool whole = ::read(fd, text.data(), text.size()) == status.st_size;
  ::close(fd);
  return whole;
}

bool look_at(int folder, const char* name, bool parse) {
  std::string text;
  if (!read_file(folder, name, text)) return false;
  return !parse || !toml::parse(text).empty();
}

/// How many files; -1 when one could not be read.
long look_at_all(const char* path, bool parse) {
  DIR* const folder = ::opendir(path);
  if (folder == nullptr) return -1;
  long count = 0;
  while (const dirent* const entry = ::readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    if (!look_at(::dirfd(folder), entry->d_name, parse)) return -1;
    ++count;
  }
  ::closedir(folder);
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const bool parse = std::string_view(argv[1]) == "parse";
  const auto begin = std::chrono::steady_clock::now();
  const long count = look_at_all(argv[2], parse);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%.6f\n", took.count());
  return count > 0 ? 0 : 1;
}
