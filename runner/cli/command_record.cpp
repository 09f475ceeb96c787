#include "runner/cli/command_record.hpp"

#include "runner/cli/instance.hpp"
#include "runner/os/machine.hpp"

#include <boost/asio/post.hpp>

#include <optional>
#include <utility>

namespace lull::cli {
namespace {

void warn(const Error& error) { complain("not recorded: " + error.what()); }

}  // namespace

CommandRecord::CommandRecord(const os::InstancePaths& paths, boost::asio::io_context& loop)
    : loop_(loop) {
  const auto made = os::make_folders(paths.state_dir, 0700);
  auto store = made ? store::Store::open(paths.database()) : Result<store::Store>(made.error());
  if (store) {
    first_ = std::make_unique<store::Store>(std::move(*store));
  } else {
    warn(store.error());
  }
}

RunId CommandRecord::add(const RunRecord& run) {
  RunId id = 0;
  if (!first_) return id;
  const auto added = store::guarded([&] {
    first_->begin();
    id = first_->add_run(run, store::Owner::command).value_or(0);
    first_->set_started(id, *run.started, "");
    first_->commit();
  });
  if (added) {
    thread_ = std::make_unique<store::StoreThread>(
        std::move(*first_), [this](auto done) { boost::asio::post(loop_, std::move(done)); });
  } else {
    warn(added.error());
  }
  first_.reset();
  return id;
}

void CommandRecord::add_level(RunId run, LevelChange level) {
  submit([run, level = std::move(level)](store::Store& store) { store.add_level(run, level); });
}

void CommandRecord::close(RunId run, const Ending& ending) {
  submit([run, ending](store::Store& store) { store.close_run(run, ending); });
  thread_.reset();
  loop_.restart();
  loop_.poll();  // what went wrong with it
}

void CommandRecord::submit(store::StoreThread::Work work) {
  if (!thread_) return;
  const auto done = [this](const std::optional<Error>& error) {
    if (error && !std::exchange(warned_, true)) warn(*error);
  };
  thread_->submit(std::move(work), done, store::StoreThread::Urgency::soon);
}

}  // namespace lull::cli
