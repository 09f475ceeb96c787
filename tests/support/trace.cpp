#include "tests/support/trace.hpp"

#include "tests/support/fixture.hpp"

#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace lull::tests {
namespace {

using std::chrono::microseconds;

/// Goes through a line's fields in their one order, for reading as for writing.
template <class Line, class Visit>
void each_field(Line& line, Visit&& visit) {
  auto& sample = line.sample;
  visit(line.foreground);
  visit(sample.at);
  visit(sample.cpus);
  visit(sample.idle);
  visit(sample.stolen);
  visit(sample.own_cpu);
  visit(sample.own_read);
  visit(sample.own_written);
  visit(sample.waiting);
  visit(sample.all);
  visit(sample.own);
  visit(sample.disks);
}

template <class Disk, class Visit>
void each_field_of_disk(Disk& disk, Visit&& visit) {
  visit(disk.name);
  visit(disk.reads);
  visit(disk.writes);
  visit(disk.flushes);
  visit(disk.read);
  visit(disk.written);
  visit(disk.in_flight);
  visit(disk.busy);
}

struct Writer {
  std::ostream& out;

  template <class Plain>
  void operator()(const Plain& value) {
    out << value << ' ';
  }
  void operator()(Duration value) {
    (*this)(std::chrono::duration_cast<microseconds>(value).count());
  }
  void operator()(Bytes value) { (*this)(value.count); }
  void operator()(const std::optional<Stalls>& value) {
    if (!value) return (*this)('-');
    (*this)(value->cpu);
    (*this)(value->io);
    (*this)(value->memory);
  }
  void operator()(const std::vector<DeviceCounters>& disks) {
    (*this)(disks.size());
    for (const DeviceCounters& disk : disks)
      each_field_of_disk(disk, *this);
  }
};

struct Reader {
  std::istringstream in;

  template <class Plain>
  void operator()(Plain& value) {
    if (!(in >> value)) throw std::runtime_error("no line of a trace: " + in.str());
  }
  void operator()(Duration& value) {
    microseconds::rep count = 0;
    (*this)(count);
    value = microseconds(count);
  }
  void operator()(Bytes& value) { (*this)(value.count); }
  void operator()(std::optional<Stalls>& value) {
    if ((in >> std::ws).peek() == '-') {
      in.get();
      value.reset();
      return;
    }
    value.emplace();
    (*this)(value->cpu);
    (*this)(value->io);
    (*this)(value->memory);
  }
  void operator()(std::vector<DeviceCounters>& disks) {
    std::size_t count = 0;
    (*this)(count);
    disks.resize(count);
    for (DeviceCounters& disk : disks)
      each_field_of_disk(disk, *this);
  }
};

}  // namespace

void write_trace_line(std::ostream& out, const TraceLine& line) {
  each_field(line, Writer{out});
  out << '\n';
}

std::vector<TraceLine> read_trace(const std::filesystem::path& file) {
  std::istringstream text(read_text_file(file));
  std::vector<TraceLine> lines;
  for (std::string line; std::getline(text, line);) {
    if (line.empty() || line.front() == '#') continue;
    each_field(lines.emplace_back(), Reader{std::istringstream(line)});
  }
  return lines;
}

}  // namespace lull::tests
