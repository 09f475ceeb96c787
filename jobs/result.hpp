#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace lull {

/// Why something that may fail did: the system's error number (0 where no system call failed) and
/// a sentence of the form "what we tried, on what, why". Not an aggregate, since
/// boost::system::result in Boost 1.81 could not convert from one.
class Error {
 public:
  Error() = default;
  explicit Error(std::string what) : what_(std::move(what)) {}
  Error(int code, std::string what) : code_(code), what_(std::move(what)) {}

  /// The errno of the failed call, or 0.
  [[nodiscard]] int code() const { return code_; }
  /// The whole message, fit to be shown to a person.
  [[nodiscard]] const std::string& what() const { return what_; }

  /// The same error seen from further out: "outer: inner".
  [[nodiscard]] Error within(std::string_view outer) const {
    return {code_, std::string(outer) + ": " + what_};
  }

  bool operator==(const Error&) const = default;

 private:
  int code_ = 0;
  std::string what_;
};

template <class T>
using Result = boost::system::result<T, Error>;

/// A text as a success: result's implicit conversion gives way, since an Error is made of text too.
inline Result<std::string> success(std::string text) {
  return {Result<std::string>::in_place_value, std::move(text)};
}

/// Called by Result::value() on an error: at the edge an error becomes an exception.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
  throw std::runtime_error(error.what());
}

}  // namespace lull
