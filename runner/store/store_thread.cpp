#include "runner/store/store_thread.hpp"

#include <chrono>
#include <csignal>
#include <utility>

namespace lull::store {
namespace {

/// Nobody at a terminal notices it, and a thousand runs that end one after another cost some tens
/// of commits.
constexpr std::chrono::milliseconds kGather{20};

}  // namespace

StoreThread::StoreThread(Store store, Post post)
    : store_(std::move(store)), post_(std::move(post)) {
  // Signals belong to the loop: the new thread inherits a mask that blocks them all.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

StoreThread::~StoreThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void StoreThread::submit(Work work, Done done, Urgency urgency) {
  bool news = false;  // else the thread knows already
  {
    const std::lock_guard lock(mutex_);
    news = queue_.empty() || (urgency == Urgency::now && !urgent_);
    urgent_ = urgent_ || urgency == Urgency::now;
    queue_.push_back({std::move(work), std::move(done)});
  }
  if (news) wake_.notify_one();
}

void StoreThread::run() {
  for (;;) {
    std::vector<Item> batch = next_batch();
    if (batch.empty()) return;
    if (commit(batch)) {
      commit_one_by_one(batch);  // the one that fails must not take the others with it
      continue;
    }
    post_([batch = std::move(batch)] {
      for (const Item& item : batch)
        item.done(std::nullopt);
    });
  }
}

/// Waits for work; empty when there is none left and the thread is to end.
std::vector<StoreThread::Item> StoreThread::next_batch() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  wake_.wait_for(lock, kGather, [this] { return stopping_ || urgent_; });
  urgent_ = false;
  return std::exchange(queue_, {});
}

/// All of the batch or nothing of it; throws what SQLite throws.
void StoreThread::write(std::vector<Item>& batch) {
  store_.begin();
  try {
    for (Item& item : batch)
      item.work(store_);
    store_.commit();
  } catch (...) {
    // After SQLITE_FULL and the like the transaction may be gone already.
    (void)guarded([&] { store_.rollback(); });
    throw;
  }
}

std::optional<Error> StoreThread::commit(std::vector<Item>& batch) {
  const auto result = guarded([&] { write(batch); });
  if (result) return std::nullopt;
  return result.error();
}

void StoreThread::commit_one_by_one(std::vector<Item>& batch) {
  for (Item& item : batch) {
    std::vector<Item> single{item};
    const std::optional<Error> error = commit(single);
    post_([done = std::move(item.done), error] { done(error); });
  }
}

}  // namespace lull::store
