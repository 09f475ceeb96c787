#pragma once

namespace lull::cli {

/// The whole command line: picks the subcommand, returns the exit code.
int run_app(int argc, char** argv);

}  // namespace lull::cli
