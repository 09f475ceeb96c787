#include "runner/supervisor/coroutine.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace lull::supervisor {

std::function<void(std::exception_ptr)> log_exit(std::string what) {
  return [what = std::move(what)](const std::exception_ptr& problem) {
    if (!problem) return;
    try {
      std::rethrow_exception(problem);
    } catch (const std::exception& error) {
      spdlog::error("{}: {}", what, error.what());
    }
  };
}

}  // namespace lull::supervisor
