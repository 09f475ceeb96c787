#include "runner/cli/app.hpp"
#include "runner/cli/instance.hpp"

#include <exception>

int main(int argc, char** argv) {
  try {
    return lull::cli::run_app(argc, argv);
  } catch (const std::exception& problem) {
    lull::cli::complain(problem.what());
    return lull::cli::kFailed;
  }
}
