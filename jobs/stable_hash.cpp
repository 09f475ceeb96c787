#include "jobs/stable_hash.hpp"

namespace lull {

/// FNV-1a, then the finalizer of splitmix64, since FNV's high bits hardly depend on the last bytes.
std::uint64_t stable_hash(std::string_view first, std::string_view second) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const char c : first)
    add(static_cast<unsigned char>(c));
  add(0);  // keeps ("a", "bc") from ("ab", "c")
  for (const char c : second)
    add(static_cast<unsigned char>(c));
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  return hash ^ (hash >> 31);
}

}  // namespace lull
