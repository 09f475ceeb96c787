#pragma once

// Internal to config/: tables as they are read, one key after the other.
#include "config/document.hpp"
#include "jobs/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace lull::config {

class Section;

/// A value that is to be read, with what its errors need; empty where the key is absent.
class Value {
 public:
  Value() = default;
  Value(const toml::node& node, const Section& section, std::string_view key, bool inherited)
      : node_(&node), section_(&section), key_(key), inherited_(inherited) {}

  explicit operator bool() const { return node_ != nullptr; }
  [[nodiscard]] const toml::node& node() const { return *node_; }
  [[nodiscard]] Position at() const { return position(node_->source()); }
  /// "limits.timeout".
  [[nodiscard]] std::string name() const;
  /// Whether it comes from [defaults] of lull.toml and not from the job's own file.
  [[nodiscard]] bool inherited() const { return inherited_; }
  /// A part of this value, which keeps its name.
  [[nodiscard]] Value element(const toml::node& node) const;

  /// Reports "'limits.timeout' " + text.
  void wrong(std::string_view text) const;
  /// Reports "'limits.timeout': " + what.
  void wrong(const Error& error) const;
  /// Reports "'limits.timeout' is an integer: write " + remedy.
  void wrong_type(std::string_view remedy) const;

 private:
  void report(const std::string& message) const;

  const toml::node* node_ = nullptr;
  const Section* section_ = nullptr;
  std::string_view key_;
  bool inherited_ = false;
};

/// Remembers which keys were asked for where. These are the known keys: there is no second list
/// that could differ from what is read.
class KnownKeys {
 public:
  explicit KnownKeys(Report& report) : report_(report) {}

  [[nodiscard]] Report& report() const { return report_; }
  /// Starts a section; `table` may be null. Gives its number.
  std::size_t open(std::string name, const toml::table* table);
  void ask(std::size_t section, std::string_view key) { asked_.push_back({section, key}); }
  /// Call it when everything was asked for: reports every key that nobody asked for.
  void report_others() const;

 private:
  struct Scope {
    std::string name;
    const toml::table* table = nullptr;
  };
  struct Asked {
    std::size_t scope = 0;
    std::string_view key;
  };

  void report_others(std::size_t scope) const;
  [[nodiscard]] bool is_known(std::size_t scope, std::string_view key) const;
  [[nodiscard]] std::string remedy(std::size_t scope, std::string_view key) const;
  [[nodiscard]] std::string place(std::size_t scope) const;

  Report& report_;
  std::vector<Scope> scopes_;
  std::vector<Asked> asked_;
};

/// One table of a file, and beneath it the same table of [defaults]: a key's value is the file's
/// own or else the default one.
class Section {
 public:
  /// Either table may be null. `inherited`: `own` itself comes from [defaults].
  Section(KnownKeys& known, std::string name, const toml::table* own, const toml::table* fallback,
          bool inherited = false);

  [[nodiscard]] Value get(std::string_view key) const;
  /// Like get, without the defaults.
  [[nodiscard]] Value own(std::string_view key) const;
  /// The default alone.
  [[nodiscard]] Value fallback(std::string_view key) const;
  /// Like get; it is an error, and absent, if it is no table.
  [[nodiscard]] Section table(std::string_view key) const;

  /// A value of this section, as get(key) gave it, as a table; without keys if it is none.
  [[nodiscard]] Section inner(std::string_view key, const Value& value) const;

  /// The same section with no defaults beneath it.
  [[nodiscard]] Section without_defaults() const;

  /// Whether the file itself has this table.
  [[nodiscard]] bool is_written() const { return own_ != nullptr && !inherited_; }
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] Position at() const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] KnownKeys& known() const { return known_; }
  [[nodiscard]] Report& report() const { return known_.report(); }

 private:
  KnownKeys& known_;
  std::string name_;
  const toml::table* own_ = nullptr;
  const toml::table* fallback_ = nullptr;
  bool inherited_ = false;
  std::size_t scope_ = 0;
};

}  // namespace lull::config
