#include "model/testing/json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "model/document.h"

namespace elb::model::testing {
namespace {

using Text = nlohmann::json;  // Ordered by key, so that texts can be compared.

std::string Difference(const Text& whole, const Text& part, const std::string& path) {
  if (part.is_object() && whole.is_object()) {
    for (const auto& [key, value] : part.items()) {
      const auto found = whole.find(key);
      if (found == whole.end()) {
        return path + '.' + key;
      }
      if (std::string below = Difference(*found, value, path + '.' + key); !below.empty()) {
        return below;
      }
    }
    return "";
  }
  if (part.is_array() && whole.is_array() && part.size() == whole.size()) {
    for (std::size_t i = 0; i < part.size(); ++i) {
      std::string below = Difference(whole[i], part[i], fmt::format("{}[{}]", path, i));
      if (!below.empty()) {
        return below;
      }
    }
    return "";
  }
  return part == whole ? "" : fmt::format("{}: {} is not {}", path, part.dump(), whole.dump());
}

std::string ProblemOf(const Result<Given>& read) { return read ? "" : read.error().path; }

}  // namespace

std::string ReadFile(const std::string& path) {
  std::ifstream file(std::string(ELB_SOURCE_DIR) + '/' + path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string Envelope(std::string_view key, std::string_view value) {
  return fmt::format("{{\"{}\":{}}}", key, value);
}

std::string ValueOf(std::string_view object, std::string_view key) {
  const Text json = Text::parse(object, nullptr, false);
  return json.is_object() && json.contains(key) ? json[std::string(key)].dump() : "";
}

std::set<std::string> KeysOf(std::string_view object) {
  std::set<std::string> keys;
  const Text json = Text::parse(object, nullptr, false);
  for (const auto& [key, value] : json.items()) {
    keys.insert(key);
  }
  return keys;
}

std::string Without(std::string_view object, const std::set<std::string>& keys) {
  Text json = Text::parse(object, nullptr, false);
  for (const std::string& key : keys) {
    json.erase(key);
  }
  return json.dump();
}

std::string NotIn(std::string_view whole, std::string_view part) {
  return Difference(Text::parse(whole, nullptr, false), Text::parse(part, nullptr, false), "");
}

std::shared_ptr<void> MakeOwner(const Schema& schema) {
  for (const FieldSpec& field : schema.fields()) {
    if (field.make_owner) {
      return field.make_owner();
    }
  }
  return nullptr;
}

std::string CreateProblem(const Schema& schema, std::string_view body, void* object) {
  return ProblemOf(ReadCreateText(schema, Envelope(schema.name(), body), object));
}

std::string UpdateProblem(const Schema& schema, std::string_view body, void* object) {
  return ProblemOf(ReadUpdateText(schema, Envelope(schema.name(), body), object));
}

std::string PathOf(const Result<void>& result) { return result ? "" : result.error().path; }

}  // namespace elb::model::testing
