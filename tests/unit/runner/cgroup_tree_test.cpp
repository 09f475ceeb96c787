#include "runner/os/cgroup_tree.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/temp_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace lull::os {
namespace {

/// A hierarchy of which only the groups' weights are there.
class Hierarchy {
 public:
  /// Makes a group with what it weighs.
  std::string group(const std::string& path, const std::string& weight, bool idle = false) {
    std::string folder = root_.path() + "/" + path;
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/cgroup.type") << "domain\n";
    std::ofstream(folder + "/cpu.weight") << weight << "\n";
    std::ofstream(folder + "/cpu.idle") << (idle ? "1\n" : "0\n");
    return folder;
  }
  [[nodiscard]] const std::string& root() const { return root_.path(); }

 private:
  tests::TempFolder root_;
};

TEST_CASE("cgroup tree: lull's groups are `lull` and the slices of that name, innermost first") {
  using Groups = std::vector<std::string>;
  CHECK(lull_groups_above("/c/lull.slice/lull-idle.slice/lull-x.1.2.scope") ==
        Groups{"/c/lull.slice/lull-idle.slice", "/c/lull.slice"});
  CHECK(lull_groups_above("/c/a.service/lull/x.1.2") == Groups{"/c/a.service/lull"});
  CHECK(lull_groups_above("/c/app.slice/lull-x.1.2.scope").empty());
  CHECK(lull_groups_above("/c/lullaby.slice/x").empty());
  CHECK(lull_groups_above("/c/lull-ordinary/x").empty());
}

TEST_CASE("cgroup tree: a slice ranks its runs in the group above it") {
  Hierarchy tree;
  const std::string user = tree.group("user.slice", "100");
  const std::string ana = tree.group("user.slice/ana", "100");
  const std::string manager = tree.group("user.slice/ana/user@.service", "100");
  tree.group("user.slice/ana/user@.service/lull.slice", "100", true);
  const std::string run = tree.group("user.slice/ana/user@.service/lull.slice/x.scope", "1", true);
  CHECK(ranking_group(run) == manager);

  tree.group("user.slice/ana/user@.service", "1");
  CHECK(ranking_group(run) == ana);  // beside a login session, too
  tree.group("user.slice/ana", "100", true);
  CHECK(ranking_group(run) == user);
  tree.group("user.slice", "5");
  CHECK(ranking_group(run).empty());  // beside everything
}

TEST_CASE("cgroup tree: root's slice ranks its runs behind everything") {
  Hierarchy tree;
  tree.group("lull.slice", "100", true);
  CHECK(ranking_group(tree.group("lull.slice/x.scope", "1", true)).empty());
}

TEST_CASE(
    "cgroup tree: around a run are the groups in use beside lull's and beside each around it") {
  Hierarchy tree;
  const auto in_use = [&](const std::string& path) {
    std::string folder = tree.group(path, "100");
    std::ofstream(folder + "/cgroup.events") << "populated 1\nfrozen 0\n";
    return folder;
  };
  tree.group("user.slice", "100");
  const std::string manager = tree.group("user.slice/m.service", "100");
  const std::string app = in_use("user.slice/m.service/app.slice");
  tree.group("user.slice/m.service/empty.slice", "100");
  in_use("user.slice/m.service/init.scope");
  const std::string lulls = in_use("user.slice/m.service/lull.slice");
  const std::string run = in_use("user.slice/m.service/lull.slice/lull-idle.slice/x.scope");
  in_use("user.slice/m.service/lull.slice/y.scope");  // ours, too
  const std::string session = in_use("user.slice/session-1.scope");
  const std::string system = in_use("system.slice");
  std::vector<std::string> found;
  for (const Neighbour& one : neighbours_of(run))
    found.push_back(one.folder + " beside " + one.ours);
  CHECK(found == std::vector<std::string>{app + " beside " + lulls, session + " beside " + manager,
                                          system + " beside " + tree.root() + "/user.slice"});
}

TEST_CASE("cgroup tree: the groups at the top are those below what is no group itself") {
  Hierarchy tree;
  const std::string user = tree.group("user.slice", "100");
  tree.group("user.slice/ana", "100");
  const std::string system = tree.group("system.slice", "100");
  std::vector<std::string> top = groups_at_top(user + "/ana");
  std::sort(top.begin(), top.end());
  CHECK(top == std::vector<std::string>{system, user});
}

TEST_CASE("cgroup tree: a group weighs what its files say, and nothing where it has none") {
  Hierarchy tree;
  CHECK(weight_of(tree.group("a", "42", true)) == GroupWeight{42, true});
  CHECK(weight_of(tree.root()) == std::nullopt);
}

}  // namespace
}  // namespace lull::os
