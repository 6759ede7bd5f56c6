// One walk over all tables, and the samples through each of them.

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "model/document.h"
#include "model/l7_rule.h"
#include "model/member.h"
#include "model/reference.h"
#include "model/resources.h"
#include "model/security_policy.h"
#include "model/testing/json.h"

namespace elb::model {
namespace {

using testing::Envelope;
using testing::KeysOf;
using testing::MakeOwner;
using testing::NotIn;
using testing::ReadFile;
using testing::ValueOf;
using testing::Without;

void Collect(const Schema& schema, std::set<const Schema*>& all) {
  if (!all.insert(&schema).second) {
    return;
  }
  for (const FieldSpec& field : schema.fields()) {
    if (field.object != nullptr) {
      Collect(*field.object, all);
    }
  }
}

std::set<const Schema*> AllTables() {
  std::set<const Schema*> all;
  for (const Resource& resource : Resources()) {
    Collect(resource.schema(), all);
  }
  Collect(MemberInternalSchema(), all);
  Collect(L7RuleInternalSchema(), all);
  Collect(SystemSecurityPolicySchema(), all);
  return all;
}

std::string Sample(const Resource& resource, const char* file) {
  return ReadFile("api/samples/" + std::string(resource.singular) + '/' + file);
}

std::string Inner(const Resource& resource, const char* file) {
  return ValueOf(Sample(resource, file), resource.singular);
}

std::set<std::string> Secrets(const Schema& schema) {
  std::set<std::string> secrets;
  for (const FieldSpec& field : schema.fields()) {
    if (field.secret) {
      secrets.insert(field.name);
    }
  }
  return secrets;
}

TEST(TablesTest, EveryFieldHasLabelAndDoc) {
  for (const Schema* schema : AllTables()) {
    for (const FieldSpec& field : schema->fields()) {
      SCOPED_TRACE(schema->name() + '.' + field.name);
      EXPECT_FALSE(field.label.empty());
      EXPECT_FALSE(field.doc.empty());
      EXPECT_TRUE(field.doc.ends_with('.')) << field.doc;
    }
  }
}

TEST(TablesTest, OneViewHasEachFieldOnce) {
  for (const Schema* schema : AllTables()) {
    std::set<std::string> shown;
    std::set<std::string> settable;
    for (const FieldSpec& field : schema->fields()) {
      SCOPED_TRACE(schema->name() + '.' + field.name);
      EXPECT_TRUE(!field.shown() || shown.insert(field.name).second);
      EXPECT_TRUE(!field.settable() || settable.insert(field.name).second);
    }
  }
}

TEST(TablesTest, EveryDefaultObeysItsRange) {
  for (const Schema* schema : AllTables()) {
    for (const FieldSpec& field : schema->fields()) {
      const bool has_default = field.settable() && field.life != Life::kDerived &&
                               !field.required && field.default_note.empty();
      if (!has_default) {
        continue;
      }
      SCOPED_TRACE(schema->name() + '.' + field.name);
      const Schema alone(schema->name(), {field});
      const auto object = field.make_owner();
      FieldSpec kept = field;
      kept.life = Life::kKept;
      const std::string written = WriteText(Schema("", {kept}), object.get(), Purpose::kCompared);
      const bool none = ValueOf(written, field.name) == "null" && field.on_null == Null::kRefuse;

      EXPECT_TRUE(
          none ||
          ReadCreateText(alone, Envelope(schema->name(), written), object.get()).has_value())
          << written;
    }
  }
}

TEST(TablesTest, NullIsRefusedOrLeavesWhatIsAllowed) {
  for (const Schema* schema : AllTables()) {
    for (const FieldSpec& field : schema->fields()) {
      if (!field.settable() || field.life == Life::kDerived || field.required) {
        continue;
      }
      SCOPED_TRACE(schema->name() + '.' + field.name);
      const auto object = field.make_owner();
      const auto read =
          ReadCreateText(Schema(schema->name(), {field}),
                         Envelope(schema->name(), "{\"" + field.name + "\":null}"), object.get());

      EXPECT_EQ(read.has_value(), field.on_null != Null::kRefuse);
    }
  }
}

TEST(SamplesTest, CreateRequestsRoundTripThroughTheStore) {
  for (const Resource& resource : Resources()) {
    SCOPED_TRACE(resource.singular);
    const Schema& schema = resource.schema();
    const auto object = MakeOwner(schema);
    const auto read = ReadCreateText(schema, Sample(resource, "create.json"), object.get());
    ASSERT_TRUE(read) << read.error().message;
    const std::string stored = WriteText(schema, object.get(), Purpose::kStored);

    const auto again = MakeOwner(schema);
    ASSERT_TRUE(ReadStoredText(schema, stored, again.get()));

    EXPECT_EQ(WriteText(schema, again.get(), Purpose::kStored), stored);
    const std::set<std::string> secrets = Secrets(schema);
    EXPECT_EQ(Without(WriteText(schema, again.get(), Purpose::kResponse), secrets),
              Without(WriteText(schema, object.get(), Purpose::kResponse), secrets));
  }
}

TEST(SamplesTest, ResponsesShowWhatWasAskedFor) {
  for (const Resource& resource : Resources()) {
    SCOPED_TRACE(resource.singular);
    std::set<std::string> unlike;
    for (const FieldSpec& field : resource.schema().fields()) {
      if (field.life == Life::kHidden || field.life == Life::kRequest) {
        unlike.insert(field.name);
      }
    }

    EXPECT_EQ(
        NotIn(Inner(resource, "response.json"), Without(Inner(resource, "create.json"), unlike)),
        "");
  }
}

TEST(SamplesTest, ResponsesHaveExactlyTheFieldsOfTheTable) {
  for (const Resource& resource : Resources()) {
    SCOPED_TRACE(resource.singular);
    std::set<std::string> shown;
    for (const FieldSpec& field : resource.schema().fields()) {
      if (field.shown()) {
        shown.insert(field.name);
      }
    }

    EXPECT_EQ(KeysOf(Inner(resource, "response.json")), shown);
    EXPECT_EQ(KeysOf(Sample(resource, "response.json")),
              (std::set<std::string>{"request_id", std::string(resource.singular)}));
  }
}

TEST(SamplesTest, ResponsesAreWrittenAsTheyWereRead) {
  for (const Resource& resource : Resources()) {
    SCOPED_TRACE(resource.singular);
    const Schema& schema = resource.schema();
    const std::string response = Inner(resource, "response.json");
    const auto object = MakeOwner(schema);
    ASSERT_TRUE(ReadStoredText(schema, response, object.get()));

    EXPECT_EQ(NotIn(response, WriteText(schema, object.get(), Purpose::kResponse)), "");
  }
}

TEST(SamplesTest, AnUpdateWithWhatIsShownChangesNothing) {
  for (const Resource& resource : Resources()) {
    if (resource.singular == "l7policy") {
      continue;  // Its rules are shown as references and given whole.
    }
    SCOPED_TRACE(resource.singular);
    const Schema& schema = resource.schema();
    const auto object = MakeOwner(schema);
    ASSERT_TRUE(ReadStoredText(schema, Inner(resource, "response.json"), object.get()));
    const std::string before = WriteText(schema, object.get(), Purpose::kCompared);

    const auto read = ReadUpdateText(schema, Sample(resource, "response.json"), object.get());

    EXPECT_TRUE(read) << read.error().message;
    EXPECT_EQ(WriteText(schema, object.get(), Purpose::kCompared), before);
  }
}

TEST(SamplesTest, UpdateRequestsAreReadOntoTheSampleResponse) {
  for (const Resource& resource : Resources()) {
    SCOPED_TRACE(resource.singular);
    const Schema& schema = resource.schema();
    const auto object = MakeOwner(schema);
    ASSERT_TRUE(ReadStoredText(schema, Inner(resource, "response.json"), object.get()));

    const auto read = ReadUpdateText(schema, Sample(resource, "update.json"), object.get());

    EXPECT_TRUE(read) << read.error().message;
  }
}

TEST(ReferenceTest, TheApiDescriptionIsThatOfTheTables) {
  EXPECT_TRUE(ReadFile("api/openapi.json") == OpenApiText())
      << "run elb_reference in the root of the repository";
}

TEST(ReferenceTest, TheFieldReferenceIsThatOfTheTables) {
  EXPECT_TRUE(ReadFile("docs/reference/fields.md") == FieldReferenceText())
      << "run elb_reference in the root of the repository";
}

TEST(ReferenceTest, OnlyServedResourcesHavePaths) {
  const std::set<std::string> paths = KeysOf(ValueOf(OpenApiText(), "paths"));

  for (const Resource& resource : Resources()) {
    const bool described = paths.contains("/v3/{project_id}/elb/" + std::string(resource.path));
    EXPECT_EQ(described, resource.served == Served::kYes) << resource.singular;
  }
}

}  // namespace
}  // namespace elb::model
