#pragma once

// Debian 12 has Catch2 v2, Debian 13 has v3: tests include this and write what both understand.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
namespace Catch::Matchers {
// NOLINTNEXTLINE(readability-identifier-naming): the name that Catch2 v3 has
inline auto ContainsSubstring(const std::string& text) { return Catch::Matchers::Contains(text); }
}  // namespace Catch::Matchers
#endif

using Catch::Matchers::ContainsSubstring;
