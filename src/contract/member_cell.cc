#include "contract/member_cell.h"

namespace elb::contract {
namespace {

std::string Key(const PoolId& pool, const MemberId& member) {
  return pool.value() + '/' + member.value();
}

}  // namespace

std::shared_ptr<MemberCell> MemberCells::Get(const PoolId& pool, const MemberId& member) {
  const MutexLock lock(mutex_);
  auto& cell = cells_[Key(pool, member)];
  if (!cell) {
    cell = std::make_shared<MemberCell>();
  }
  return cell;
}

std::shared_ptr<MemberCell> MemberCells::Find(const PoolId& pool, const MemberId& member) const {
  const MutexLock lock(mutex_);
  const auto found = cells_.find(Key(pool, member));
  return found == cells_.end() ? nullptr : found->second;
}

void MemberCells::Remove(const PoolId& pool, const MemberId& member) {
  const MutexLock lock(mutex_);
  cells_.erase(Key(pool, member));
}

}  // namespace elb::contract
