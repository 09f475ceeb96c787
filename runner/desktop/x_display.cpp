#include "runner/desktop/x_display.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>

namespace lull::desktop {
namespace {

// Xauth.h: the families of local displays.
constexpr unsigned kFamilyLocal = 256;
constexpr unsigned kFamilyWild = 65535;

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// xauth(1)'s, or GDM's of this session, or the one that every client looks into.
std::string authority_file() {
  std::string given = variable("XAUTHORITY");
  if (!given.empty()) return given;
  std::string of_gdm = variable("XDG_RUNTIME_DIR") + "/gdm/Xauthority";
  std::error_code error;
  if (std::filesystem::exists(of_gdm, error)) return of_gdm;
  return variable("HOME") + "/.Xauthority";
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 6 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Takes one part after the other from an Xauthority file.
class Authority {
 public:
  explicit Authority(std::string_view left) : left_(left) {}

  std::optional<unsigned> number() {
    if (left_.size() < 2) return std::nullopt;
    const auto byte = [this](std::size_t i) {
      return unsigned{static_cast<unsigned char>(left_[i])};
    };
    const unsigned value = byte(0) * 256 + byte(1);
    left_.remove_prefix(2);
    return value;
  }
  std::optional<std::string_view> text() {
    const auto size = number();
    if (!size || left_.size() < *size) return std::nullopt;
    const std::string_view text = left_.substr(0, *size);
    left_.remove_prefix(*size);
    return text;
  }

 private:
  std::string_view left_;
};

}  // namespace

XDisplay display_of_environment() {
  const bool is_xwayland = !variable("WAYLAND_DISPLAY").empty();
  return {is_xwayland ? "" : variable("DISPLAY"), authority_file()};
}

Result<LocalDisplay> parse_display(std::string_view name) {
  const auto colon = name.rfind(':');
  const std::string_view host = name.substr(0, std::min(colon, name.size()));
  std::string_view number = colon == std::string_view::npos ? "" : name.substr(colon + 1);
  number = number.substr(0, number.find('.'));
  if (name.starts_with('/')) return LocalDisplay{std::string(number), std::string(name)};
  if (!is_number(number))
    return Error("the display \"" + std::string(name) + "\": not of the form :0");
  if (!host.empty() && host != "unix") {
    return Error("the display " + std::string(name) + ": not on this machine");
  }
  return LocalDisplay{std::string(number), "/tmp/.X11-unix/X" + std::string(number)};
}

std::string find_cookie(std::string_view authority, std::string_view host,
                        std::string_view display_number) {
  Authority file(authority);
  while (const auto family = file.number()) {
    const auto address = file.text();
    const auto number = file.text();
    const auto method = file.text();
    const auto cookie = file.text();
    if (!cookie) break;
    const bool here = *family == kFamilyWild || (*family == kFamilyLocal && *address == host);
    if (!here || (!number->empty() && *number != display_number)) continue;
    if (*method == "MIT-MAGIC-COOKIE-1") return std::string(*cookie);
  }
  return "";
}

}  // namespace lull::desktop
