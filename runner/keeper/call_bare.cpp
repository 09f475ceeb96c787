// The program's first instruction, the system call, and the functions that a compiler may call on
// its own: all that stands between the keeper and the kernel. Nobody relocates us, so the program
// must have no relocations: the test "lull-keeper has no relocations" watches that.
#include "runner/keeper/sys.hpp"

#include <sys/syscall.h>

#if defined(__x86_64__)

// At entry the stack holds argc, argv…, NULL, envp…; the ABI wants it aligned to 16 at the call.
__asm__(
    ".globl _start\n"
    ".type _start, @function\n"
    "_start:\n"
    "  xor %ebp, %ebp\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call lull_keeper_start\n");

namespace lull::keeper {
// NOLINTNEXTLINE(readability-function-size): a system call has up to six arguments and a number
long syscall_raw(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result = number;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
}  // namespace lull::keeper

#elif defined(__aarch64__)

__asm__(
    ".globl _start\n"
    ".type _start, %function\n"
    "_start:\n"
    "  mov x29, #0\n"
    "  mov x30, #0\n"
    "  mov x0, sp\n"
    "  and sp, x0, #-16\n"
    "  bl lull_keeper_start\n");

namespace lull::keeper {
// NOLINTNEXTLINE(readability-function-size): a system call has up to six arguments and a number
long syscall_raw(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
}
}  // namespace lull::keeper

#else
#error "no system call stub for this machine: configure with -DLULL_KEEPER_HOSTED=ON"
#endif

extern "C" {

[[noreturn]] void lull_keeper_start(long* stack);

void lull_keeper_start(long* stack) {
  const int argc = static_cast<int>(*stack);
  const int status = lull::keeper::keep(argc, reinterpret_cast<char**>(stack + 1));
  lull::keeper::sys(SYS_exit_group, status);
  __builtin_unreachable();
}

void* memcpy(void* to, const void* from, std::size_t size) {
  auto* target = static_cast<char*>(to);
  const auto* source = static_cast<const char*>(from);
  while (size-- > 0)
    *target++ = *source++;
  return to;
}

void* memmove(void* to, const void* from, std::size_t size) {
  auto* target = static_cast<char*>(to);
  const auto* source = static_cast<const char*>(from);
  if (target <= source) return memcpy(to, from, size);
  while (size-- > 0)
    target[size] = source[size];
  return to;
}

void* memset(void* to, int value, std::size_t size) {
  auto* target = static_cast<char*>(to);
  while (size-- > 0)
    *target++ = static_cast<char>(value);
  return to;
}

int memcmp(const void* left, const void* right, std::size_t size) {
  const auto* a = static_cast<const unsigned char*>(left);
  const auto* b = static_cast<const unsigned char*>(right);
  for (; size > 0; --size, ++a, ++b) {
    if (*a != *b) return *a - *b;
  }
  return 0;
}

void* memchr(const void* memory, int value, std::size_t size) {
  const auto* at = static_cast<const unsigned char*>(memory);
  for (; size > 0; --size, ++at) {
    if (*at == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(at);
  }
  return nullptr;
}

std::size_t strlen(const char* text) {
  const char* end = text;
  while (*end != '\0')
    ++end;
  return static_cast<std::size_t>(end - text);
}
}
