#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "contract/data_plane.h"
#include "control/compiler.h"
#include "control/draft.h"
#include "control/node_config.h"
#include "control/retention.h"
#include "control/services.h"
#include "control/state.h"
#include "store/store.h"

namespace elb::control {

enum class Resource : std::uint8_t {
  kLoadBalancer,
  kListener,
  kPool,
  kMember,
  kHealthMonitor,
  kCertificate,
  kIpGroup,
  kSecurityPolicy,
  kLogtank,
  kL7Policy,
  kL7Rule,
};

/// Writes that are neither creation nor update nor deletion of one object.
enum class Action : std::uint8_t {
  kAddIpEntries,     ///< Of an IP address group; the body is the group's.
  kRemoveIpEntries,  ///< Likewise.
  kAddMembers,       ///< To a pool; the body is the list, the answer id and status of each.
  kUpdateMembers,    ///< Likewise.
  kRemoveMembers,    ///< Likewise.
  kPutTags,          ///< Of a load balancer or listener; the body is the list of tags.
  kRemoveTags,       ///< By key; likewise.
};

/// One object as a call names it.
struct Place {
  Resource resource = Resource::kLoadBalancer;
  std::string parent;  ///< The pool of a member, the policy of a rule.
  std::string id;
};

/// An object as a response shows it.
struct Shown {
  std::shared_ptr<const Json> object;
  std::uint64_t revision = 0;  ///< Of the object (`ETag`).
};

/// Condition of a write on the object's revision (api-extensions.md 4.4): one of these, or `*`.
struct Precondition {
  bool any = false;
  std::vector<std::uint64_t> revisions;
};

/// What a list is narrowed down to before its objects are looked at; empty admits everything.
struct Selection {
  std::vector<std::string> ids;
  std::vector<std::string> names;
  /// Load balancers of listeners and pools, pools of members and health monitors, listeners of
  /// policies, policies of rules.
  std::vector<std::string> owners;
};

/// The control plane: every use case, over the state in memory. A write is validated, compiled,
/// prepared by the data plane, stored in one transaction, applied, and only then answered; when one
/// step fails nothing has changed. All calls come from one thread and may block.
class Control {
 public:
  struct Parts {
    NodeConfig node;
    store::Store* store = nullptr;
    contract::DataPlane* data_plane = nullptr;
    const Clock* clock = nullptr;
    Random* random = nullptr;
  };
  explicit Control(Parts parts);

  /// Reads everything from the store and puts it in force.
  [[nodiscard]] Result<void> Start();

  [[nodiscard]] Result<Shown> Create(const Caller& caller, Resource resource,
                                     const std::string& parent, const Json& body);
  [[nodiscard]] Result<Shown> Show(const Caller& caller, Resource resource,
                                   const std::string& parent, const std::string& id) const;
  [[nodiscard]] Result<Shown> Update(const Caller& caller, const Place& place, const Json& body,
                                     const std::optional<Precondition>& when);
  [[nodiscard]] Result<void> Delete(const Caller& caller, const Place& place, DeleteMode mode,
                                    const std::optional<Precondition>& when);
  /// Deletes several objects of one kind in one revision, each under the rules of the single
  /// deletion: when one is refused, none is deleted and the error's path names it
  /// (`pools[3]`). `list` is that of the body; the answer `[{"id", "ret_status"}]` has "not found"
  /// for objects that do not exist (api-v3.md 2.18).
  [[nodiscard]] Result<Json> DeleteEach(const Caller& caller, Resource resource, const Json& list);
  /// Unbinds a public address and gives it back (api-v3.md 4.5). Errors: kNotFound.
  [[nodiscard]] Result<void> ReleaseEip(const Caller& caller, const std::string& id);
  /// Does `action` to or below the object at `place`, in one revision. Returns what the answer
  /// holds besides the object: null, or as the action says.
  [[nodiscard]] Result<Json> Perform(const Caller& caller, const Place& place, Action action,
                                     const Json& body, const std::optional<Precondition>& when);
  /// Gives policies new priorities, all of them or none (`batch-update-priority`, api-v3.md 2.9).
  [[nodiscard]] Result<void> UpdatePriorities(const Caller& caller, const Json& list);
  /// Ids of the project's objects that `selection` admits, in order of creation. Members: of the
  /// pool `parent`, or of every pool when it is empty; rules: of a policy likewise. Costs a
  /// comparison per object at most.
  [[nodiscard]] Result<std::vector<std::string>> Select(const Caller& caller, Resource resource,
                                                        const std::string& parent,
                                                        const Selection& selection) const;
  /// The representation of one object that `Select` named, as items of that list show it.
  [[nodiscard]] Json ShowItem(const Caller& caller, Resource resource, const std::string& parent,
                              const std::string& id) const;
  /// Does a member with that address serve the load balancer, listener or pool `id`?
  [[nodiscard]] bool HasMember(Resource resource, const std::string& id,
                               const std::string& address) const;
  [[nodiscard]] Result<Json> StatusTree(const Caller& caller, const std::string& id) const;
  /// Listeners bound to the IP address group `id`, in short.
  [[nodiscard]] Result<Json> ListenersOfIpGroup(const Caller& caller, const std::string& id) const;
  /// Objects in use by quota key.
  [[nodiscard]] std::size_t Used(const Caller& caller, std::string_view quota_key) const;

  /// Forgets some of the revisions that need not be kept any longer; to be called again and again.
  /// Errors: kStorage.
  [[nodiscard]] Result<void> TrimRevisions();

  [[nodiscard]] std::uint64_t RevisionOf(const std::string& project) const;
  [[nodiscard]] const NodeConfig& node() const { return parts_.node; }
  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] store::Store& store() const { return *parts_.store; }
  [[nodiscard]] const Clock& clock() const { return *parts_.clock; }
  [[nodiscard]] Random& random() const { return *parts_.random; }
  /// Why the node is not as it should be; empty when it is.
  [[nodiscard]] const std::string& degraded() const { return degraded_; }

 private:
  using Change = std::function<Result<std::string>(Draft&, UseCase&)>;
  template <typename T>
  [[nodiscard]] Result<void> Load();
  /// Brings what older programs stored to today's form.
  [[nodiscard]] Result<void> UpgradeStore();
  [[nodiscard]] Result<std::string> Write(const Caller& caller, const Change& change);
  [[nodiscard]] Result<Shown> Represent(const Caller& caller, Resource resource,
                                        const std::string& id) const;
  [[nodiscard]] Result<std::uint64_t> NextSequence() const;
  [[nodiscard]] Result<void> Check(const Caller& caller, const Place& place,
                                   const std::optional<Precondition>& when) const;
  [[nodiscard]] std::unexpected<Error> Changed(Resource resource, const model::Identity& identity,
                                               const std::string& current) const;

  Parts parts_;
  State state_;
  Compiler compiler_;
  Retention retention_;
  std::shared_ptr<const contract::ConfigSnapshot> snapshot_;
  std::string degraded_;
};

}  // namespace elb::control
