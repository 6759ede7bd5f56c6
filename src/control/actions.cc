#include "control/actions.h"

#include <nlohmann/json.hpp>

namespace elb::control {

Result<Json> DoAction(Draft& draft, UseCase& use, const Place& place, Action action,
                      const Json& body) {
  const std::string& id = place.id;
  const TagOwner owner =
      place.resource == Resource::kListener ? TagOwner::kListener : TagOwner::kLoadBalancer;
  switch (action) {
    case Action::kAddIpEntries:
      ELB_RETURN_IF_ERROR(AddToIpGroup(draft, use, id, body));
      return Json();
    case Action::kRemoveIpEntries:
      ELB_RETURN_IF_ERROR(RemoveFromIpGroup(draft, use, id, body));
      return Json();
    case Action::kAddMembers:
      return AddMembers(draft, use, id, body);
    case Action::kUpdateMembers:
      return UpdateMembers(draft, use, id, body);
    case Action::kRemoveMembers:
      return RemoveMembers(draft, use, id, body);
    case Action::kPutTags:
      ELB_RETURN_IF_ERROR(PutTags(draft, use, owner, id, body));
      return Json();
    case Action::kRemoveTags:
      ELB_RETURN_IF_ERROR(RemoveTags(draft, use, owner, id, body));
      return Json();
  }
  return Internal("unknown action");
}

}  // namespace elb::control
