#include "runner/os/stalls.hpp"

#include "runner/os/kernel_stats.hpp"
#include "runner/os/read_file.hpp"

#include <fcntl.h>

namespace lull::os {
namespace {

std::optional<Duration> stall_in(const Fd& file, std::vector<char>& buffer) {
  const auto stall = parse_stall(reread(file, buffer));
  return stall ? std::optional(*stall) : std::nullopt;
}

}  // namespace

StallFiles::StallFiles(const std::string& folder, const std::string& suffix) {
  const auto open_one = [&](const char* name) {
    return Fd(::open((folder + "/" + name + suffix).c_str(), O_RDONLY | O_CLOEXEC));
  };
  cpu_ = open_one("cpu");
  io_ = open_one("io");
  memory_ = open_one("memory");
}

std::optional<Stalls> StallFiles::read(std::vector<char>& buffer) const {
  const auto cpu = stall_in(cpu_, buffer);
  const auto io = stall_in(io_, buffer);
  const auto memory = stall_in(memory_, buffer);
  if (!cpu || !io || !memory) return std::nullopt;
  return Stalls{*cpu, *io, *memory};
}

}  // namespace lull::os
