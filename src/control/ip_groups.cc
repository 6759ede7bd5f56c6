#include <nlohmann/json.hpp>
#include <utility>

#include "control/rules.h"
#include "control/services.h"

namespace elb::control {
namespace {

using model::IpGroup;

/// The group after the fields of `body` other than its list, and that list apart.
struct Edit {
  IpGroup group;
  std::vector<model::IpEntry> entries;
};

Result<Edit> ReadEdit(const State& state, const UseCase& use, const std::string& id,
                      const Json& body) {
  ELB_ASSIGN_OR_RETURN(const auto before,
                       Require<IpGroup>(state, use, id, "", ErrorKind::kNotFound));
  Edit edit{.group = *before, .entries = {}};
  edit.group.ip_list.clear();
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadUpdate(model::IpGroupSchema(), body, &edit.group));
  if (!model::WasGiven(given, "ip_list")) {
    return Missing("ipgroup.ip_list", "ip_list is mandatory");
  }
  edit.entries = std::exchange(edit.group.ip_list, before->ip_list);
  return edit;
}

}  // namespace

Result<std::string> CreateIpGroup(Draft& draft, UseCase& use, const Json& body) {
  IpGroup group;
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadCreate(model::IpGroupSchema(), body, &group));
  static_cast<void>(given);
  ELB_RETURN_IF_ERROR(CheckProject(use, body, "ipgroup"));
  ELB_RETURN_IF_ERROR(CheckIpGroup(group, QuotaOf(*use.node, "ipgroup_max_length")));
  ELB_RETURN_IF_ERROR(
      CheckQuota(*use.node, "ipgroup", draft.state().ip_groups.In(use.caller->project).size()));
  group.identity.id = NewUuid(draft.random());
  group.identity.project_id = use.caller->project;
  std::string id = group.identity.id;
  draft.Create(std::move(group));
  return id;
}

Result<void> UpdateIpGroup(Draft& draft, UseCase& use, const std::string& id, const Json& body) {
  ELB_ASSIGN_OR_RETURN(const auto before,
                       Require<IpGroup>(draft.state(), use, id, "", ErrorKind::kNotFound));
  IpGroup after = *before;
  ELB_ASSIGN_OR_RETURN(const model::Given given,
                       model::ReadUpdate(model::IpGroupSchema(), body, &after));
  if (model::WasGiven(given, "ip_list")) {
    ELB_RETURN_IF_ERROR(CheckIpGroup(after, QuotaOf(*use.node, "ipgroup_max_length")));
  }
  draft.Update(std::move(after));
  return {};
}

Result<void> AddToIpGroup(Draft& draft, UseCase& use, const std::string& id, const Json& body) {
  ELB_ASSIGN_OR_RETURN(Edit edit, ReadEdit(draft.state(), use, id, body));
  ELB_RETURN_IF_ERROR(model::AddIpEntries(edit.group.ip_list, edit.entries));
  ELB_RETURN_IF_ERROR(CheckIpGroup(edit.group, QuotaOf(*use.node, "ipgroup_max_length")));
  draft.Update(std::move(edit.group));
  return {};
}

Result<void> RemoveFromIpGroup(Draft& draft, UseCase& use, const std::string& id,
                               const Json& body) {
  ELB_ASSIGN_OR_RETURN(const Edit edit, ReadEdit(draft.state(), use, id, body));
  IpGroup after = *draft.state().ip_groups.Get(id);
  ELB_RETURN_IF_ERROR(model::RemoveIpEntries(after.ip_list, edit.entries));
  draft.Update(std::move(after));
  return {};
}

Result<void> DeleteIpGroup(Draft& draft, UseCase& use, const std::string& id) {
  const State& state = draft.state();
  ELB_RETURN_IF_ERROR(Require<IpGroup>(state, use, id, "", ErrorKind::kNotFound));
  Referrers users = state.By(kListenersOfIpGroup, id);
  users.insert(state.By(kListenersTrustingIpGroup, id).begin(),
               state.By(kListenersTrustingIpGroup, id).end());
  if (!users.empty()) {
    return Blocked("the IP address group is in use", ListenersInTheWay(state, users));
  }
  draft.Delete<IpGroup>(id);
  return {};
}

Json ShowIpGroup(const State& state, const IpGroup& group) {
  Json shown = ShownFields(group);
  shown["listeners"] = IdList(state.By(kListenersOfIpGroup, group.identity.id));
  AddIdentity(group.identity, shown);
  return shown;
}

Json ShowListenersOfIpGroup(const State& state, const std::string& id) {
  Json listeners = Json::array();
  for (const auto& [sequence, user] : state.By(kListenersOfIpGroup, id)) {
    const model::Listener* listener = state.listeners.Find(user);
    listeners.push_back({{"id", user},
                         {"name", listener->name},
                         {"protocol", listener->protocol},
                         {"protocol_port", listener->protocol_port},
                         {"loadbalancers", Json::array({{{"id", listener->loadbalancer_id}}})}});
  }
  return listeners;
}

}  // namespace elb::control
