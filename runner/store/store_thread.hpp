#pragma once

#include "runner/store/store.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace lull::store {

/// The one thread beside the loop: it waits for the disk, so that the loop need not. What has been
/// submitted while one batch was being committed becomes the next batch, so a thousand slots due at
/// one instant cost one commit. The order is kept, whatever the urgency.
class StoreThread {
 public:
  /// Changes the store; runs on the store thread inside the batch's transaction.
  using Work = std::function<void(Store&)>;
  /// Runs on the loop once the batch is durable, or with the reason why it is not.
  using Done = std::function<void(const std::optional<Error>&)>;
  /// Hands a function to the loop.
  using Post = std::function<void(std::function<void()>)>;

  StoreThread(Store store, Post post);
  /// Commits what was submitted, then ends the thread. Nothing is posted any more after that.
  ~StoreThread();
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  /// When a change has to be on the disk: at once, since something waits for it, or with others
  /// that come within kGather, which spares the disk a commit for each.
  enum class Urgency { now, soon };

  void submit(Work work, Done done, Urgency urgency = Urgency::now);

 private:
  struct Item {
    Work work;
    Done done;
  };
  void run();
  std::vector<Item> next_batch();
  void write(std::vector<Item>& batch);
  std::optional<Error> commit(std::vector<Item>& batch);
  void commit_one_by_one(std::vector<Item>& batch);

  Store store_;
  Post post_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Item> queue_;
  bool urgent_ = false;  ///< something in the queue is
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lull::store
