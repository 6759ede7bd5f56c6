#include "control/revision_record.h"

#include <fmt/format.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include <absl/container/flat_hash_map.h>

#include "control/draft.h"
#include "crypto/hash.h"
#include "model/document.h"

namespace elb::control {
namespace {

using model::Json;

constexpr std::size_t kValueBytesMax = 1024;

std::string Dump(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Long values are named by what identifies them.
Json Shortened(const Json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : Dump(value);
  if (text.size() <= kValueBytesMax) {
    return value;
  }
  return {{"length", text.size()}, {"sha256", crypto::Sha256Hex(text)}};
}

/// Elements of `from` that `without` does not hold, each as often as it is missing. Lists may have
/// 100,000 elements.
Json Missing(const Json& from, const Json& without) {
  absl::flat_hash_map<std::string, std::size_t> rest;
  for (const Json& element : without) {
    ++rest[Dump(element)];
  }
  Json missing = Json::array();
  for (const Json& element : from) {
    const auto found = rest.find(Dump(element));
    if (found == rest.end() || found->second == 0) {
      missing.push_back(element);
    } else {
      --found->second;
    }
  }
  return missing;
}

/// Turns `from` and `to` of a list into what came, went or moved.
void DescribeList(Json& change) {
  const Json from = change["from"];
  const Json to = change["to"];
  change.erase("from");
  change.erase("to");
  const Json added = Missing(to, from);
  const Json removed = Missing(from, to);
  const bool reordered = added.empty() && removed.empty();
  change["added"] = Shortened(added);
  change["removed"] = Shortened(removed);
  if (reordered) {
    change["reordered"] = true;
  }
}

}  // namespace

std::string RevisionTimeText(WallTime time) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch());
  std::string text = TimeText(time);
  text.pop_back();
  return fmt::format("{}.{:03}Z", text, since.count() % 1000);
}

Json RevisionFields(const model::Schema& schema, const Json& before, const Json& after,
                    const Json& defaults) {
  const bool created = !before.is_object();
  Json fields = model::ChangedFields(schema, created ? defaults : before, after);
  for (Json& field : fields) {
    if (created) {
      field.erase("from");
      field["to"] = Shortened(field["to"]);
    } else if (field["from"].is_array() && field["to"].is_array()) {
      DescribeList(field);
    } else {
      field["from"] = Shortened(field["from"]);
      field["to"] = Shortened(field["to"]);
    }
  }
  return fields;
}

std::string RevisionText(const RevisionStamp& stamp, const Json& origin, Json changes) {
  Json record{{"number", stamp.number}, {"created_at", RevisionTimeText(stamp.at)}};
  record.update(origin);
  record["changes"] = std::move(changes);
  record["guard"] = nullptr;
  return Dump(record);
}

RevisionAuthor AuthorOf(const std::string& record) {
  const Json json = Json::parse(record, nullptr, false);
  if (!json.is_object()) {
    return {};
  }
  const Json author = json.value("author", Json::object());
  const Json name = author.is_object() ? author.value("user_name", Json()) : Json();
  return {.user_name = name.is_string() ? name.get<std::string>() : std::string(),
          .created_at = json.value("created_at", std::string())};
}

}  // namespace elb::control
