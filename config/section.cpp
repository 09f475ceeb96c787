#include "config/section.hpp"

#include "config/nearest.hpp"

#include <algorithm>
#include <utility>

namespace lull::config {
namespace {

std::string_view type_name(toml::node_type type) {
  switch (type) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a bare number";
    case toml::node_type::floating_point:
      return "a bare number with a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
      return "a date without quotes";
    case toml::node_type::time:
      return "a time without quotes";
    case toml::node_type::date_time:
      return "a date and time without quotes";
  }
  return "something else";
}

std::string in_quotes(std::string_view key) {
  std::string text = "'";
  text.append(key).append("'");
  return text;
}

std::string dotted(const std::string& section, std::string_view key) {
  if (section.empty()) return std::string(key);
  return (section + '.').append(key);
}

const toml::table* table_in(const toml::table* table, std::string_view key) {
  const auto* const node = table == nullptr ? nullptr : table->get(key);
  return node == nullptr ? nullptr : node->as_table();
}

}  // namespace

std::string Value::name() const { return dotted(section_->name(), key_); }

Value Value::element(const toml::node& node) const { return {node, *section_, key_, inherited_}; }

void Value::wrong(std::string_view text) const {
  report(in_quotes(name()).append(" ").append(text));
}

void Value::wrong(const Error& error) const {
  report(in_quotes(name()).append(": ").append(error.what()));
}

void Value::wrong_type(std::string_view remedy) const {
  wrong(std::string("is ").append(type_name(node_->type())).append(": write ").append(remedy));
}

// What is wrong with a default was reported for lull.toml, once; the job that would have got it
// must not run without it (think of `user`), but only says where to look.
void Value::report(const std::string& message) const {
  if (!inherited_) return section_->report().add(at(), message);
  section_->report().add({}, in_quotes(name()) +
                                 " comes from [defaults] of lull.toml, where it is wrong: mend it "
                                 "there or write it here");
}

std::size_t KnownKeys::open(std::string name, const toml::table* table) {
  if (scopes_.empty()) {
    scopes_.reserve(16);
    asked_.reserve(96);
  }
  scopes_.push_back({std::move(name), table});
  return scopes_.size() - 1;
}

void KnownKeys::report_others() const {
  for (std::size_t scope = 0; scope < scopes_.size(); ++scope) {
    if (scopes_[scope].table != nullptr) report_others(scope);
  }
}

void KnownKeys::report_others(std::size_t scope) const {
  for (const auto& [key, node] : *scopes_[scope].table) {
    if (report_.is_full()) return;
    if (is_known(scope, key.str())) continue;
    const std::string noun = node.is_table() ? "unknown table " : "unknown key ";
    report_.add(position(key.source()),
                noun + in_quotes(key.str()) + place(scope) + ": " + remedy(scope, key.str()));
  }
}

bool KnownKeys::is_known(std::size_t scope, std::string_view key) const {
  return std::any_of(asked_.begin(), asked_.end(),
                     [&](const Asked& asked) { return asked.scope == scope && asked.key == key; });
}

std::string KnownKeys::place(std::size_t scope) const {
  return scopes_[scope].name.empty() ? "" : " in [" + scopes_[scope].name + ']';
}

std::string KnownKeys::remedy(std::size_t scope, std::string_view key) const {
  std::vector<std::string_view> here;
  std::vector<std::string_view> anywhere;
  for (const auto& asked : asked_) {
    if (asked.scope == scope) here.push_back(asked.key);
    anywhere.push_back(asked.key);
  }
  const auto exact = std::find(anywhere.begin(), anywhere.end(), key) != anywhere.end();
  const auto near_here = exact ? std::nullopt : nearest(key, here);
  if (near_here) return "write " + in_quotes(*near_here);
  const auto meant = exact ? key : nearest(key, anywhere).value_or("");
  const auto asked =
      std::find_if(asked_.begin(), asked_.end(), [&](const Asked& a) { return a.key == meant; });
  if (asked == asked_.end()) return "remove it";
  const auto& home = scopes_[asked->scope].name;
  return "write " + in_quotes(meant) +
         (home.empty() ? " above the first [table]" : " in [" + home + ']');
}

Section::Section(KnownKeys& known, std::string name, const toml::table* own,
                 const toml::table* fallback, bool inherited)
    : known_(known),
      name_(std::move(name)),
      own_(own),
      fallback_(fallback),
      inherited_(inherited),
      // What stands in the defaults was checked where it stands.
      scope_(known.open(name_, inherited ? nullptr : own)) {}

Value Section::own(std::string_view key) const {
  known_.ask(scope_, key);
  const auto* const node = own_ == nullptr ? nullptr : own_->get(key);
  return node == nullptr ? Value() : Value(*node, *this, key, inherited_);
}

Value Section::fallback(std::string_view key) const {
  const auto* const node = fallback_ == nullptr ? nullptr : fallback_->get(key);
  return node == nullptr ? Value() : Value(*node, *this, key, true);
}

Value Section::get(std::string_view key) const {
  const auto value = own(key);
  return value ? value : fallback(key);
}

Section Section::table(std::string_view key) const {
  const auto value = own(key);
  if (value && !value.node().is_table()) {
    const auto remedy = "[" + dotted(name_, key) + "] on a line of its own and its keys under it";
    value.wrong_type(remedy);
  }
  return {known_, dotted(name_, key), table_in(own_, key), table_in(fallback_, key), inherited_};
}

Section Section::inner(std::string_view key, const Value& value) const {
  const auto* const table = value ? value.node().as_table() : nullptr;
  return {known_, dotted(name_, key), table, nullptr, value.inherited()};
}

Section Section::without_defaults() const {
  auto section = *this;
  section.fallback_ = nullptr;
  return section;
}

bool Section::has(std::string_view key) const {
  return (own_ != nullptr && own_->contains(key)) ||
         (fallback_ != nullptr && fallback_->contains(key));
}

Position Section::at() const {
  return own_ == nullptr || inherited_ ? Position{} : position(own_->source());
}

}  // namespace lull::config
