#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "store/memory/memory_store.h"
#include "store/store.h"

namespace elb::control {

/// A memory store whose commits fail while `fails` is set: everything before them works.
class FailingStore final : public store::Store {
 public:
  bool fails = false;

  [[nodiscard]] Result<std::unique_ptr<store::Subscription>> Watch(
      std::uint64_t from_sequence, store::ChangeCallback callback) override {
    return memory_.Watch(from_sequence, std::move(callback));
  }
  [[nodiscard]] Result<void> PutState(std::string_view area,
                                      std::span<const store::StateEntry> entries,
                                      store::Protection protection) override {
    return memory_.PutState(area, entries, protection);
  }
  [[nodiscard]] Result<std::vector<store::StateEntry>> LoadState(std::string_view area) override {
    return memory_.LoadState(area);
  }
  [[nodiscard]] Result<void> BackUp(const std::filesystem::path& target) override {
    return memory_.BackUp(target);
  }

 protected:
  [[nodiscard]] Result<void> RunTransaction(
      const std::function<Result<void>(store::Transaction&)>& fn) override {
    return memory_.Transact([&](store::Transaction& transaction) -> Result<void> {
      ELB_RETURN_IF_ERROR(fn(transaction));
      if (fails) {
        return Failure(ErrorKind::kStorage, "", "the disk is full");
      }
      return {};
    });
  }
  [[nodiscard]] Result<void> RunRead(
      const std::function<Result<void>(store::Reader&)>& fn) override {
    return memory_.Read(fn);
  }

 private:
  store::MemoryStore memory_;
};

}  // namespace elb::control
