#pragma once

#include <boost/asio/io_context.hpp>

#include <chrono>

namespace lull::tests {

/// Turns the loop until `is_so`, but not longer than `patience`.
template <class Condition>
bool turn_until(boost::asio::io_context& loop, Condition is_so,
                std::chrono::seconds patience = std::chrono::seconds(10)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!is_so() && std::chrono::steady_clock::now() < end) {
    loop.restart();
    loop.run_one_until(end);
  }
  return is_so();
}

}  // namespace lull::tests
