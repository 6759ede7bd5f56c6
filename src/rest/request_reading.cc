#include "rest/request_reading.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "model/schema.h"

namespace elb::rest {
namespace {

using Json = nlohmann::ordered_json;

/// Deep bodies would exhaust the parser's stack.
bool TooDeep(std::string_view text) {
  constexpr int kDepthMax = 64;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (quoted) {
      i += letter == '\\' ? 1 : 0;
      quoted = letter != '"';
    } else if (letter == '"') {
      quoted = true;
    } else if (letter == '[' || letter == '{') {
      if (++depth > kDepthMax) {
        return true;
      }
    } else if (letter == ']' || letter == '}') {
      --depth;
    }
  }
  return false;
}

/// Keys inside `extensions` are known or refused; listeners check their own.
Result<void> CheckExtensions(const Json& object, std::string_view name) {
  const auto found = object.find("extensions");
  if (name == "listener" || found == object.end() || found->is_null()) {
    return {};
  }
  if (!found->is_object()) {
    return Invalid(fmt::format("{}.extensions", name), "extensions must be an object");
  }
  for (const auto& [key, value] : found->items()) {
    if (key != "revision" && key != "managed_by") {
      const std::string path = fmt::format("{}.extensions.{}", name, key);
      return Invalid(path, fmt::format("{} is not known", path));
    }
  }
  return {};
}

std::unexpected<Error> EmptyBody(std::string_view name) {
  return Failure(ErrorKind::kEmptyBody, std::string(name),
                 fmt::format("the body needs '{}'", name));
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) {
    text.remove_prefix(1);
  }
  while (text.ends_with(' ') || text.ends_with('\t')) {
    text.remove_suffix(1);
  }
  return text;
}

std::unexpected<Error> BadOption(std::string name, std::string message) {
  return Failure(ErrorKind::kBadOption, std::move(name), std::move(message));
}

/// The revision of a tag of ours, `"r12"`.
std::optional<std::uint64_t> RevisionOf(std::string_view tag) {
  if (tag.size() < 4 || !tag.starts_with("\"r")) {
    return std::nullopt;
  }
  const char* end = tag.data() + tag.size() - 1;
  std::uint64_t number = 0;
  const auto read = std::from_chars(tag.data() + 2, end, number);
  return read.ec == std::errc{} && read.ptr == end ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<Json> ReadBody(const std::string& body, std::string_view name) {
  if (body.find_first_not_of(" \t\r\n") == std::string::npos) {
    return EmptyBody(name);
  }
  if (TooDeep(body)) {
    return Invalid("body", "the body is nested too deeply");
  }
  Json json = Json::parse(body, nullptr, false);
  if (json.is_discarded()) {
    return Invalid("body", "the body is not valid JSON");
  }
  if (json.is_null()) {
    return EmptyBody(name);
  }
  if (!json.is_object()) {
    return Invalid("body", "the body must be a JSON object");
  }
  return json;
}

Result<Json> ReadEnvelope(const std::string& body, std::string_view name) {
  ELB_ASSIGN_OR_RETURN(Json json, ReadBody(body, name));
  const auto found = json.find(std::string(name));
  if (found == json.end() || found->is_null()) {
    return EmptyBody(name);
  }
  if (!found->is_object()) {
    return Invalid(std::string(name), fmt::format("{} must be an object", name));
  }
  ELB_RETURN_IF_ERROR(CheckExtensions(*found, name));
  return std::move(*found);
}

Result<Json> ReadListEnvelope(const std::string& body, std::string_view name) {
  ELB_ASSIGN_OR_RETURN(Json json, ReadBody(body, name));
  const auto found = json.find(std::string(name));
  if (found == json.end() || found->is_null()) {
    return EmptyBody(name);
  }
  if (!found->is_array()) {
    return Invalid(std::string(name), fmt::format("{} must be a list", name));
  }
  return std::move(*found);
}

Result<std::optional<control::Precondition>> ReadPrecondition(const Request& request) {
  const std::string text = request.Header("if-match");
  std::string_view rest = Trimmed(text);
  if (rest.empty()) {
    return std::nullopt;
  }
  control::Precondition condition;
  if (rest == "*") {
    condition.any = true;
    return condition;
  }
  while (!rest.empty()) {
    const bool weak = rest.starts_with("W/");
    rest.remove_prefix(weak ? 2 : 0);
    const std::size_t end = rest.starts_with('"') ? rest.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      return BadOption("If-Match", "If-Match must be * or a list of entity tags");
    }
    const auto revision = RevisionOf(rest.substr(0, end + 1));
    if (revision && !weak) {
      condition.revisions.push_back(*revision);
    }
    rest = Trimmed(rest.substr(end + 1));
    if (!rest.empty() && !rest.starts_with(',')) {
      return BadOption("If-Match", "If-Match must be * or a list of entity tags");
    }
    while (rest.starts_with(',')) {
      rest = Trimmed(rest.substr(1));
    }
  }
  return condition;
}

Result<std::string> ReadOptions(const Request& request) {
  constexpr std::int64_t kCommentMax = 255;
  const Query query(request.query);
  if (const auto dry_run = query.First("dry_run"); dry_run && *dry_run != "false") {
    return BadOption("dry_run", "dry runs are not available on this node");
  }
  if (query.First("rehearse")) {
    return BadOption("rehearse", "rehearsals are not available on this node");
  }
  if (!request.Header("idempotency-key").empty()) {
    return BadOption("Idempotency-Key", "idempotency keys are not available on this node");
  }
  std::string comment = request.Header("x-elb-comment");
  if (const std::int64_t length = model::CodePoints(comment); length < 0 || length > kCommentMax) {
    return BadOption("X-Elb-Comment", "X-Elb-Comment must have at most 255 characters");
  }
  return comment;
}

}  // namespace elb::rest
