// The plan as the supervisor wrote it into a memfd, mapped and with its offsets made pointers.
#include "runner/keeper/run.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace lull::keeper {

bool PlanView::map(int fd) {
  const long size = sys(SYS_lseek, fd, 0, SEEK_END);
  if (size < static_cast<long>(sizeof(Plan))) return false;
  const long base = sys(SYS_mmap, nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  if (base < 0 && base > -4096) return false;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the bare mmap returns an address as a number
  base_ = reinterpret_cast<char*>(base);
  plan_ = reinterpret_cast<const Plan*>(base_);
  if (plan_->version != kPlanVersion || plan_->size != size) return false;
  for (const Texts texts : {plan_->programs, plan_->argv, plan_->environment})
    make_pointers(texts);
  for (const CgroupEntry& entry : cgroups())
    make_pointers(entry.settings);
  return true;
}

void PlanView::make_pointers(Texts list) const {
  char** words = texts(list);
  for (std::uint32_t i = 0; i < list.count; ++i) {
    words[i] = base_ + reinterpret_cast<std::uintptr_t>(words[i]);
  }
}

char** PlanView::texts(Texts texts) const { return reinterpret_cast<char**>(base_ + texts.offset); }

std::span<const CgroupEntry> PlanView::cgroups() const {
  return {reinterpret_cast<const CgroupEntry*>(base_ + plan_->cgroups.offset),
          plan_->cgroups.count};
}

const gid_t* PlanView::groups() const {
  return reinterpret_cast<const gid_t*>(base_ + plan_->groups.offset);
}

}  // namespace lull::keeper
