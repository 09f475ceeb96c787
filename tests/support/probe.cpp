// A job for tests: prints what it finds itself to be, or behaves badly in one chosen way. Its
// output is lines of "KEY VALUE", written with write(2) as the first thing that it does.
#include "runner/os/read_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

std::string output;

void put(std::string_view key, const std::string& value) {
  output += std::string(key) + " " + value + "\n";
}
void put(std::string_view key, long value) { put(key, std::to_string(value)); }

void flush() {
  std::string_view rest(output);
  while (!rest.empty()) {
    const ssize_t size = ::write(STDOUT_FILENO, rest.data(), rest.size());
    if (size <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(size));
  }
  output.clear();
}

std::string one_line(const std::string& path) {
  std::string text = lull::os::read_file(path).value();
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  for (char& c : text) {
    if (c == '\n') c = ';';
  }
  return text;
}

std::string link_of(const std::string& path) {
  std::array<char, 4096> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  return size < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(size));
}

void put_fds() {
  DIR* folder = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(folder)) {
    const std::string name = entry->d_name;
    if (name == "." || name == ".." || name == std::to_string(::dirfd(folder))) continue;
    put("fd", name + " " + link_of("/proc/self/fd/" + name));
  }
  ::closedir(folder);
}

void put_status(std::string_view text, std::string_view key) {
  const std::size_t at = text.find("\n" + std::string(key) + ":\t");
  if (at == std::string_view::npos) return;
  text.remove_prefix(at + key.size() + 3);
  put(key, std::string(text.substr(0, text.find('\n'))));
}

void put_priority() {
  errno = 0;
  put("nice", ::getpriority(PRIO_PROCESS, 0));
  put("ioprio", ::syscall(SYS_ioprio_get, 1, 0));
  put("policy", ::sched_getscheduler(0));
  if (::access("/proc/self/autogroup", R_OK) == 0) {
    put("autogroup", one_line("/proc/self/autogroup"));
  }
  put("cgroup", one_line("/proc/self/cgroup"));
}

void put_identity() {
  put("pid", ::getpid());
  put("ppid", ::getppid());
  put("session", ::getsid(0));
  put("group", ::getpgrp());
  int death = 0;
  ::prctl(PR_GET_PDEATHSIG, &death);
  put("pdeathsig", death);
  put("uid", ::getuid());
  put("euid", ::geteuid());
  put("gid", ::getgid());
  put("cwd", link_of("/proc/self/cwd"));
}

int print_self() {
  put_priority();
  put_identity();
  put_fds();
  const std::string status = lull::os::read_file("/proc/self/status").value();
  for (const char* key : {"SigBlk", "SigIgn", "SigCgt", "Groups"})
    put_status(status, key);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  put("nofile", static_cast<long>(files.rlim_cur));
  for (char** entry = environ; *entry != nullptr; ++entry)
    put("env", *entry);
  flush();
  return 0;
}

/// Prints itself, then waits to be looked at from outside.
int stay() {
  print_self();
  for (;;)
    ::pause();
}

int print_bytes(long count) {
  std::array<char, 65536> block{};
  block.fill('x');
  for (long left = count; left > 0;) {
    const auto size = static_cast<std::size_t>(std::min<long>(left, block.size()));
    const ssize_t written = ::write(STDOUT_FILENO, block.data(), size);
    if (written <= 0) return 1;
    left -= written;
  }
  put("last", "line");
  flush();
  return 0;
}

/// As daemon(3) does: a grandchild in a session of its own lives on when we exit.
int daemonize() {
  std::array<int, 2> ready{};
  if (::pipe2(ready.data(), O_CLOEXEC) != 0) return 1;
  if (::fork() == 0) {
    ::setsid();
    if (::fork() != 0) ::_exit(0);
    put("daemon", ::getpid());
    flush();
    (void)!::write(ready[1], "x", 1);
    for (;;)
      ::pause();
  }
  char byte = 0;
  ::close(ready[1]);
  return ::read(ready[0], &byte, 1) == 1 ? 0 : 1;
}

/// Exits 0 while children go on, in our own group.
int leave_children() {
  for (int i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;)
        ::pause();
    }
    put("child", child);
  }
  flush();
  return 0;
}

// A sanitizer has handlers of its own, which would end us by an exit code.
int kill_self(int signal) {
  std::signal(signal, SIG_DFL);
  return ::raise(signal);
}

int ignore_term() {
  std::signal(SIGTERM, SIG_IGN);
  if (::fork() == 0) {
    ::setsid();  // away from the group that a shell would signal
    put("child", ::getpid());
    flush();
    for (;;)
      ::pause();
  }
  put("pid", ::getpid());
  flush();
  for (;;)
    ::pause();
}

int close_fds() {
  for (int fd = 0; fd < 256; ++fd)
    ::close(fd);
  ::usleep(50'000);  // time in which a keeper that trusts its pipe would go wrong
  return 7;
}

/// Uses `threads` CPUs, until it is killed or its parent is gone.
int spin(long threads) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const auto burn = [] {
    for (volatile unsigned work = 0;;)
      work = work + 1;
  };
  for (long i = 1; i < threads; ++i)
    std::thread(burn).detach();
  burn();
  return 0;
}

/// CPU time of this thread.
void burn_for(std::chrono::milliseconds span) {
  const auto used = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  };
  for (const auto end = used() + span; used() < end;) {
  }
}

constexpr std::chrono::milliseconds kSpan{200};

/// Waits for SIGUSR1, then burns 200 ms of CPU time in each of `threads`, and as much alone.
int burn(int threads) {
  sigset_t start;
  sigemptyset(&start);
  sigaddset(&start, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &start, nullptr);
  put("ready", ::getpid());
  flush();
  int signal = 0;
  ::sigwait(&start, &signal);
  {
    std::vector<std::jthread> all;
    all.reserve(static_cast<std::size_t>(threads));
    for (int i = 0; i < threads; ++i)
      all.emplace_back([] { burn_for(kSpan); });
  }
  burn_for(kSpan);
  put("burnt", threads);
  flush();
  for (;;)
    ::pause();
}

/// Reads one random block of a file after the other past the page cache, until it is killed or its
/// parent is gone. 77 where the file system cannot do that.
int read_blocks(const char* path) {
  constexpr std::size_t kBlock = 4096;
  alignas(kBlock) static std::array<char, kBlock> block;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int file = ::open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
  const auto blocks = static_cast<std::uint64_t>(::lseek(file, 0, SEEK_END)) / kBlock;
  if (file < 0 || blocks == 0) return 77;
  std::minstd_rand random(static_cast<unsigned>(::getpid()));
  for (;;) {
    const auto at = static_cast<off_t>(random() % blocks * kBlock);
    if (::pread(file, block.data(), block.size(), at) <= 0) return 77;
  }
}

/// Makes threads and processes as fast as it can, up to a number, then waits.
int breed(long count) {
  for (long i = 0; i < count; ++i) {
    std::thread([] { ::pause(); }).detach();
    if (::fork() == 0) {
      std::thread([] { ::pause(); }).detach();
      for (;;)
        ::pause();
    }
  }
  put("bred", count);
  flush();
  for (;;)
    ::pause();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const long number = argc > 2 ? std::strtol(argv[2], nullptr, 10) : 0;
  if (what == "self") return print_self();
  if (what == "stay") return stay();
  if (what == "exit") return static_cast<int>(number);
  if (what == "kill-self") return kill_self(static_cast<int>(number));
  if (what == "print") return print_bytes(number);
  if (what == "daemonize") return daemonize();
  if (what == "leave-children") return leave_children();
  if (what == "ignore-term") return ignore_term();
  if (what == "close-fds") return close_fds();
  if (what == "spin") return spin(number);
  if (what == "read" && argc > 2) return read_blocks(argv[2]);
  if (what == "burn") return burn(static_cast<int>(number));
  if (what == "breed") return breed(number);
  return 2;
}
