#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "control/rules.h"
#include "control/services.h"

namespace elb::control {
namespace {

constexpr std::size_t kTagsMax = 20;
// Wider than in the bodies of resources (api-v3.md 2.15).
constexpr std::int64_t kKeyMax = 128;
constexpr std::int64_t kValueMax = 255;

/// A text of the tag `given` of at least `least` and at most `most` code points.
Result<std::string> ReadText(const Json& given, const char* name, std::int64_t least,
                             std::int64_t most) {
  const std::string path = fmt::format("tag.{}", name);
  const Json value = given.is_object() ? given.value(name, Json("")) : Json();
  if (!value.is_string()) {
    return Invalid(path, fmt::format("{} must be a text", name));
  }
  auto text = value.get<std::string>();
  const std::int64_t length = model::CodePoints(text);
  if (length < least || length > most) {
    return Invalid(path, fmt::format("{} must have {} to {} characters", name, least, most));
  }
  return text;
}

Result<std::vector<model::Tag>> ReadTags(const Json& body) {
  if (!body.is_array() || body.empty()) {
    return Invalid("tags", "tags must be a list of tags");
  }
  std::vector<model::Tag> tags;
  for (const Json& given : body) {
    model::Tag tag;
    ELB_ASSIGN_OR_RETURN(tag.key, ReadText(given, "key", 1, kKeyMax));
    ELB_ASSIGN_OR_RETURN(tag.value, ReadText(given, "value", 0, kValueMax));
    tags.push_back(std::move(tag));
  }
  return tags;
}

/// Changes the tags of the `T` with that id by `change(tags, given)`.
template <typename T, typename Change>
Result<void> ChangeTags(Draft& draft, const UseCase& use, const std::string& id, const Json& body,
                        const Change& change) {
  ELB_ASSIGN_OR_RETURN(const auto before,
                       Require<T>(draft.state(), use, id, "", ErrorKind::kNotFound));
  ELB_ASSIGN_OR_RETURN(const std::vector<model::Tag> given, ReadTags(body));
  T after = *before;
  for (const model::Tag& tag : given) {
    change(after.tags, tag);
  }
  if (after.tags.size() > kTagsMax && after.tags.size() > before->tags.size()) {
    return Invalid("tags", fmt::format("an object has at most {} tags", kTagsMax));
  }
  draft.Update(std::move(after));
  return {};
}

template <typename Change>
Result<void> ChangeTagsOf(Draft& draft, const UseCase& use, TagOwner owner, const std::string& id,
                          const std::pair<const Json*, Change>& edit) {
  const auto& [body, change] = edit;
  return owner == TagOwner::kListener
             ? ChangeTags<model::Listener>(draft, use, id, *body, change)
             : ChangeTags<model::LoadBalancer>(draft, use, id, *body, change);
}

}  // namespace

Result<void> PutTags(Draft& draft, UseCase& use, TagOwner owner, const std::string& id,
                     const Json& body) {
  const auto put = [](std::vector<model::Tag>& tags, const model::Tag& tag) {
    const auto known = std::ranges::find(tags, tag.key, &model::Tag::key);
    if (known == tags.end()) {
      tags.push_back(tag);
    } else {
      known->value = tag.value;
    }
  };
  return ChangeTagsOf(draft, use, owner, id, std::pair(&body, put));
}

Result<void> RemoveTags(Draft& draft, UseCase& use, TagOwner owner, const std::string& id,
                        const Json& body) {
  const auto remove = [](std::vector<model::Tag>& tags, const model::Tag& tag) {
    std::erase_if(tags, [&](const model::Tag& known) { return known.key == tag.key; });
  };
  return ChangeTagsOf(draft, use, owner, id, std::pair(&body, remove));
}

}  // namespace elb::control
