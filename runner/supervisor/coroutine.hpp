#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <functional>
#include <string>

namespace lull::supervisor {

/// For co_await: an error comes back with the results and is not thrown.
inline constexpr auto kNoThrow = boost::asio::as_tuple(boost::asio::use_awaitable);

/// For co_spawn: an exception that a coroutine let escape goes to the log, as "WHAT: …".
std::function<void(std::exception_ptr)> log_exit(std::string what);

}  // namespace lull::supervisor
