// Cost of one change on the control thread however many listeners there are (architecture.md 1):
// validated, compiled, stored in SQLite, handed to a data plane that is none.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "base/assert.h"
#include "base/clock.h"
#include "base/random.h"
#include "control/control.h"
#include "control/documents.h"
#include "control/testing/fake_data_plane.h"
#include "crypto/sealing.h"
#include "store/sqlite/sqlite_store.h"

namespace {

using elb::control::Control;
using elb::control::Resource;
using elb::model::Json;

constexpr const char* kProject = "0123456789abcdef0123456789abcdef";

/// A store of its own in a directory that goes with it.
class Installation {
 public:
  explicit Installation(std::int64_t listeners) {
    for (const char* key : {"listener", "listeners_per_loadbalancer"}) {
      node_.quotas[key] = -1;
    }
    std::string name = (std::filesystem::temp_directory_path() / "change_bench.XXXXXX").string();
    ELB_ASSERT(mkdtemp(name.data()) != nullptr);
    directory_ = name;
    store_ = *elb::store::SqliteStore::Open(directory_ / "elb.db", sealer_);
    Restart();
    const std::string balancer =
        Create(Resource::kLoadBalancer, {{"availability_zone_list", {"eu-de-01"}},
                                         {"vip_subnet_cidr_id", node_.subnets.front().subnet_id}});
    listener_ =
        Create(Resource::kListener,
               {{"loadbalancer_id", balancer}, {"protocol", "HTTP"}, {"protocol_port", 80}});
    AddOthers(listeners - 1);
    Restart();
    ELB_ASSERT(data_plane_.current().listeners.size() == static_cast<std::size_t>(listeners));
  }
  ~Installation() {
    control_.reset();
    store_.reset();
    std::filesystem::remove_all(directory_);
  }
  Installation(const Installation&) = delete;
  Installation& operator=(const Installation&) = delete;
  Installation(Installation&&) = delete;
  Installation& operator=(Installation&&) = delete;

  void Change(std::int64_t timeout) {
    const auto changed =
        control_->Update(caller_, {.resource = Resource::kListener, .parent = {}, .id = listener_},
                         {{"client_timeout", 1 + timeout % 300}}, std::nullopt);
    ELB_ASSERT(changed.has_value());
  }
  [[nodiscard]] const elb::contract::ConfigSnapshot& snapshot() const {
    return data_plane_.current();
  }

 private:
  void Restart() {
    control_ = std::make_unique<Control>(Control::Parts{.node = node_,
                                                        .store = store_.get(),
                                                        .data_plane = &data_plane_,
                                                        .clock = &clock_,
                                                        .random = &random_});
    ELB_ASSERT(control_->Start().has_value());
  }
  std::string Create(Resource resource, const Json& body) {
    const auto made = control_->Create(caller_, resource, "", body);
    ELB_ASSERT(made.has_value());
    return (*made->object)["id"].get<std::string>();
  }
  /// Listeners like the first, straight into the store.
  void AddOthers(std::int64_t count) {
    const elb::model::Listener first = *control_->state().listeners.Find(listener_);
    const auto stored =
        store_->Transact([&](elb::store::Transaction& transaction) -> elb::Result<void> {
          for (std::int64_t i = 0; i < count; ++i) {
            elb::model::Listener other = first;
            other.identity.id = elb::NewUuid(random_);
            other.protocol_port = 1000 + i;
            ELB_RETURN_IF_ERROR(transaction.Put(elb::control::ToDocument(other, 0)));
          }
          return {};
        });
    ELB_ASSERT(stored.has_value());
  }

  elb::control::NodeConfig node_;
  elb::SystemClock clock_;
  elb::SystemRandom random_;
  elb::crypto::Sealer sealer_{elb::crypto::SealingKey{}};
  std::filesystem::path directory_;
  std::unique_ptr<elb::store::SqliteStore> store_;
  elb::control::FakeDataPlane data_plane_;
  elb::control::Caller caller_{.project = kProject,
                               .user_id = "u",
                               .user_name = "bench",
                               .address = "192.0.2.1",
                               .user_agent = {},
                               .comment = {}};
  std::unique_ptr<Control> control_;
  std::string listener_;
};

void BM_ChangeListener(benchmark::State& state) {
  Installation installation(state.range(0));
  std::int64_t number = 0;
  for (auto _ : state) {
    installation.Change(number++);
  }
}
BENCHMARK(BM_ChangeListener)->Arg(100)->Arg(3'000)->Arg(10'000)->UseRealTime();

/// The part of it that grows: the maps of pointers of a snapshot.
void BM_CopySnapshot(benchmark::State& state) {
  const Installation installation(state.range(0));
  for (auto _ : state) {
    auto copy = std::make_shared<const elb::contract::ConfigSnapshot>(installation.snapshot());
    benchmark::DoNotOptimize(copy);
  }
}
BENCHMARK(BM_CopySnapshot)->Arg(100)->Arg(3'000)->Arg(10'000)->UseRealTime();

}  // namespace
