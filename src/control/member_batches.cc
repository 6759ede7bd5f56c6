// Several members of one pool in one call (api-v3.md 2.18).
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "control/members.h"
#include "control/rules.h"
#include "control/services.h"

namespace elb::control {
namespace {

using model::Member;
using model::Pool;

constexpr const char* kDone = "successful";
constexpr const char* kExisted = "existed";
constexpr const char* kNotFound = "not found";

Json Entry(const std::string& id, const char* status) {
  return {{"id", id}, {"ret_status", status}};
}

/// Paths of one member become those of the list: `member.weight` is `members[3].weight`.
Error InList(Error error, std::size_t index) {
  const std::string place = fmt::format("members[{}]", index);
  const auto moved = [&](const std::string& path) {
    return path.starts_with("member.") ? place + path.substr(6) : path;
  };
  error.path = moved(error.path);
  for (ErrorDetail& detail : error.details) {
    detail.path = moved(detail.path);
  }
  return error;
}

Result<void> CheckList(const Json& list) {
  if (!list.is_array() || list.empty()) {
    return Invalid("members", "members must be a list of backend servers");
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_object()) {
      return Invalid(fmt::format("members[{}]", i), "a backend server must be an object");
    }
  }
  return {};
}

/// The id that an element of the list names.
Result<std::string> IdIn(const Json& element, std::size_t index) {
  const auto found = element.find("id");
  if (found == element.end() || !found->is_string()) {
    return Missing(fmt::format("members[{}].id", index), "id is mandatory");
  }
  return found->get<std::string>();
}

bool IsIn(const State& state, const std::string& id, const std::string& pool_id) {
  const Member* member = state.members.Find(id);
  return member != nullptr && member->pool_id == pool_id;
}

}  // namespace

Result<Json> AddMembers(Draft& draft, UseCase& use, const std::string& pool_id, const Json& list) {
  ELB_ASSIGN_OR_RETURN(const auto pool,
                       Require<Pool>(draft.state(), use, pool_id, "", ErrorKind::kNotFound));
  use.shared = KindOfPool(draft.state(), *pool) == model::Kind::kShared;
  ELB_RETURN_IF_ERROR(CheckList(list));
  const auto registration = static_cast<std::int64_t>(draft.state().next_sequence);
  Json answer = Json::array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    Result<Member> member = ReadNewMember(draft.state(), use, *pool, list[i]);
    if (!member) {
      return std::unexpected(InList(std::move(member).error(), i));
    }
    const Referrers& same = draft.state().By(kMembersOfEndpoint, EndpointKey(*member));
    if (!same.empty()) {
      answer.push_back(Entry(same.begin()->second, kExisted));
      continue;
    }
    ELB_ASSIGN_OR_RETURN(const std::string id,
                         AddMember(draft, use, *pool, *std::move(member), registration));
    answer.push_back(Entry(id, kDone));
  }
  return answer;
}

Result<Json> UpdateMembers(Draft& draft, UseCase& use, const std::string& pool_id,
                           const Json& list) {
  ELB_RETURN_IF_ERROR(CheckList(list));
  Json answer = Json::array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    ELB_ASSIGN_OR_RETURN(const std::string id, IdIn(list[i], i));
    if (!IsIn(draft.state(), id, pool_id)) {
      answer.push_back(Entry(id, kNotFound));
      continue;
    }
    if (Result<void> updated = UpdateMember(draft, use, id, list[i]); !updated) {
      return std::unexpected(InList(std::move(updated).error(), i));
    }
    answer.push_back(Entry(id, kDone));
  }
  return answer;
}

Result<Json> RemoveMembers(Draft& draft, UseCase& use, const std::string& pool_id,
                           const Json& list) {
  ELB_RETURN_IF_ERROR(CheckList(list));
  Json answer = Json::array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    ELB_ASSIGN_OR_RETURN(const std::string id, IdIn(list[i], i));
    if (!IsIn(draft.state(), id, pool_id)) {
      answer.push_back(Entry(id, kNotFound));
      continue;
    }
    ELB_RETURN_IF_ERROR(DeleteMember(draft, use, id));
    answer.push_back(Entry(id, kDone));
  }
  return answer;
}

}  // namespace elb::control
