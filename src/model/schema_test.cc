#include "model/schema.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/document.h"
#include "model/field.h"
#include "model/testing/json.h"

namespace elb::model {
namespace {

using testing::CreateProblem;
using testing::UpdateProblem;

struct Inner {
  std::string colour = "red";
  std::int64_t size = 1;
};

struct Thing {
  std::string name;
  std::string fixed;
  std::string owner;
  bool flag = true;
  std::int64_t number = 5;
  std::optional<std::int64_t> limit;
  std::vector<std::string> words;
  std::optional<Inner> inner;
  std::optional<Inner> whole;
  Inner always;
  std::vector<Inner> list;
};

std::vector<FieldSpec> InnerFields() {
  return {
      Field("colour", &Inner::colour)
          .OneOf({"red", "blue"})
          .OnNull(Null::kReset)
          .Set(Access::kCreateAndUpdate),
      Field("size", &Inner::size).Range(1, 9).OnNull(Null::kReset).Set(Access::kCreateAndUpdate)};
}

const Schema& InnerSchema() {
  static const Schema schema{"inner", InnerFields()};
  return schema;
}

const Schema& StrictSchema() {
  static const Schema schema{"always", InnerFields(), UnknownKeys::kRefuse};
  return schema;
}

const Schema& ThingSchema() {
  using T = Thing;
  static const Schema schema{
      "thing",
      {
          Field("name", &T::name).Range(0, 3).OnNull(Null::kClear).Set(Access::kCreateAndUpdate),
          Field("fixed", &T::fixed).Required().Set(Access::kCreate),
          Field("owner", &T::owner).Lives(Life::kRequest).EmptyClears().Set(Access::kCreate),
          Field("flag", &T::flag).Set(Access::kCreateAndUpdate),
          Field("number", &T::number)
              .Range(1, 10)
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate),
          Field("limit", &T::limit).Range(1, 10).OnNull(Null::kClear).Set(Access::kCreateAndUpdate),
          Field("words", &T::words)
              .Range(0, 2)
              .Pattern("[a-z]+")
              .OnNull(Null::kClear)
              .Set(Access::kCreateAndUpdate),
          Field("inner", &T::inner, InnerSchema())
              .OnNull(Null::kClear)
              .EmptyClears()
              .Set(Access::kCreateAndUpdate),
          Field("whole", &T::whole, InnerSchema())
              .OnNull(Null::kClear)
              .Replaces()
              .Set(Access::kCreateAndUpdate),
          Field("always", &T::always, StrictSchema())
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate),
          Field("list", &T::list, InnerSchema())
              .Range(0, 2)
              .OnNull(Null::kClear)
              .Set(Access::kCreateAndUpdate),
          Field::Derived("status", ValueType::kText),
      }};
  return schema;
}

std::string Created(std::string_view body) {
  Thing thing;
  return CreateProblem(ThingSchema(), body, &thing);
}

std::string Updated(std::string_view body, Thing& thing) {
  return UpdateProblem(ThingSchema(), body, &thing);
}

TEST(ReadCreateTest, RefusesAnAbsentMandatoryField) {
  EXPECT_EQ(Created(R"({})"), "thing.fixed");
  EXPECT_EQ(Created(R"({"fixed":null})"), "thing.fixed");
}

TEST(ReadCreateTest, NamesTheFieldOfAWrongType) {
  EXPECT_EQ(Created(R"({"fixed":1})"), "thing.fixed");
  EXPECT_EQ(Created(R"({"fixed":"a","flag":"true"})"), "thing.flag");
  EXPECT_EQ(Created(R"({"fixed":"a","number":"5"})"), "thing.number");
  EXPECT_EQ(Created(R"({"fixed":"a","number":5.5})"), "thing.number");
  EXPECT_EQ(Created(R"({"fixed":"a","words":"a"})"), "thing.words");
  EXPECT_EQ(Created(R"({"fixed":"a","words":["a",1]})"), "thing.words[1]");
  EXPECT_EQ(Created(R"({"fixed":"a","inner":[]})"), "thing.inner");
  EXPECT_EQ(Created(R"({"fixed":"a","inner":{"size":true}})"), "thing.inner.size");
  EXPECT_EQ(Created(R"({"fixed":"a","list":[{},{"size":"1"}]})"), "thing.list[1].size");
}

TEST(ReadCreateTest, CountsCodePoints) {
  EXPECT_EQ(Created(R"({"fixed":"a","name":"äöü"})"), "");
  EXPECT_EQ(Created(R"({"fixed":"a","name":"äöüx"})"), "thing.name");
}

TEST(ReadCreateTest, HoldsNumbersToTheirRange) {
  EXPECT_EQ(Created(R"({"fixed":"a","number":1,"limit":10})"), "");
  EXPECT_EQ(Created(R"({"fixed":"a","number":0})"), "thing.number");
  EXPECT_EQ(Created(R"({"fixed":"a","limit":11})"), "thing.limit");
  EXPECT_EQ(Created(R"({"fixed":"a","number":18446744073709551615})"), "thing.number");
}

TEST(ReadCreateTest, HoldsListsToSizeFormAndUniqueness) {
  EXPECT_EQ(Created(R"({"fixed":"a","words":["a","b","c"]})"), "thing.words");
  EXPECT_EQ(Created(R"({"fixed":"a","words":["a","B"]})"), "thing.words[1]");
  EXPECT_EQ(Created(R"({"fixed":"a","words":["a","a"]})"), "thing.words[1]");
}

TEST(ReadCreateTest, IgnoresUnknownKeys) {
  EXPECT_EQ(Created(R"({"fixed":"a","billing_info":1,"inner":{"x":1}})"), "");
}

TEST(ReadCreateTest, RefusesUnknownKeysInStrictObjects) {
  EXPECT_EQ(Created(R"({"fixed":"a","always":{"sise":1}})"), "thing.always.sise");
}

TEST(ReadCreateTest, IgnoresWhatOnlyResponsesShow) {
  EXPECT_EQ(Created(R"({"fixed":"a","status":7})"), "");
}

TEST(ReadCreateTest, CollectsEveryProblem) {
  Thing thing;
  const auto read = ReadCreateText(
      ThingSchema(), R"({"thing":{"name":"long","number":0,"inner":{"size":0}}})", &thing);

  ASSERT_FALSE(read);
  std::vector<std::string> paths;
  for (const ErrorDetail& detail : read.error().details) {
    paths.push_back(detail.path);
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"thing.name", "thing.fixed", "thing.number",
                                             "thing.inner.size"}));
}

TEST(ReadUpdateTest, LeavesAbsentFieldsAlone) {
  Thing thing{.name = "a", .fixed = "b", .number = 7, .inner = Inner{.size = 3}};

  EXPECT_EQ(Updated(R"({})", thing), "");

  EXPECT_EQ(thing.name, "a");
  EXPECT_EQ(thing.number, 7);
  EXPECT_EQ(thing.inner->size, 3);
}

TEST(ReadUpdateTest, ClearsAndResetsOnNull) {
  Thing thing{.name = "a",
              .number = 7,
              .limit = 3,
              .words = {"x"},
              .inner = Inner{},
              .always = {.colour = "blue", .size = 4},
              .list = {Inner{}}};

  EXPECT_EQ(Updated(R"({"name":null,"number":null,"limit":null,"words":null,"inner":null,
                        "always":null,"list":null})",
                    thing),
            "");

  EXPECT_EQ(thing.name, "");
  EXPECT_EQ(thing.number, 5);
  EXPECT_EQ(thing.limit, std::nullopt);
  EXPECT_TRUE(thing.words.empty());
  EXPECT_FALSE(thing.inner.has_value());
  EXPECT_EQ(thing.always.colour, "red");
  EXPECT_TRUE(thing.list.empty());
}

TEST(ReadUpdateTest, RefusesNullWhereItMeansNothing) {
  Thing thing;
  EXPECT_EQ(Updated(R"({"flag":null})", thing), "thing.flag");
}

TEST(ReadUpdateTest, AcceptsAFixedFieldWithItsStoredValueOnly) {
  Thing thing{.fixed = "b"};

  EXPECT_EQ(Updated(R"({"fixed":"b"})", thing), "");
  EXPECT_EQ(Updated(R"({"fixed":"c"})", thing), "thing.fixed");
  EXPECT_EQ(thing.fixed, "b");
}

TEST(ReadUpdateTest, SaysThatAFixedFieldCannotBeChanged) {
  Thing thing{.fixed = "b"};

  const auto read = ReadUpdateText(ThingSchema(), R"({"thing":{"fixed":"c"}})", &thing);

  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, ErrorKind::kImmutable);
}

TEST(ReadUpdateTest, MergesObjectsByKey) {
  Thing thing{.inner = Inner{.colour = "blue", .size = 3}};

  EXPECT_EQ(Updated(R"({"inner":{"size":4},"always":{"colour":"blue"}})", thing), "");

  EXPECT_EQ(thing.inner->colour, "blue");
  EXPECT_EQ(thing.inner->size, 4);
  EXPECT_EQ(thing.always.colour, "blue");
  EXPECT_EQ(thing.always.size, 1);
}

TEST(ReadUpdateTest, ReplacesObjectsThatTheTableSaysSo) {
  Thing thing{.whole = Inner{.colour = "blue", .size = 3}};

  EXPECT_EQ(Updated(R"({"whole":{"size":4}})", thing), "");

  EXPECT_EQ(thing.whole->colour, "red");
  EXPECT_EQ(thing.whole->size, 4);
}

TEST(ReadUpdateTest, TakesAnEmptyObjectForNoneWhereTheTableSaysSo) {
  Thing thing{.inner = Inner{}, .whole = Inner{.size = 3}};

  EXPECT_EQ(Updated(R"({"inner":{}})", thing), "");

  EXPECT_FALSE(thing.inner.has_value());
}

TEST(WriteTest, LeavesRequestFieldsOut) {
  const Thing thing{.fixed = "b", .owner = "c"};

  const std::string stored = WriteText(ThingSchema(), &thing, Purpose::kStored);

  EXPECT_FALSE(stored.contains("owner"));
  EXPECT_FALSE(WriteText(ThingSchema(), &thing, Purpose::kResponse).contains("owner"));
}

TEST(ReadStoredTest, IgnoresWhatItDoesNotKnow) {
  Thing thing;

  ASSERT_TRUE(ReadStoredText(ThingSchema(), R"({"name":"abc","later":1,"number":"x"})", &thing));

  EXPECT_EQ(thing.name, "abc");
  EXPECT_EQ(thing.number, 5);
}

TEST(CodePointsTest, RefusesWhatIsNotUtf8) {
  EXPECT_EQ(CodePoints("aé€😀"), 4);
  EXPECT_EQ(CodePoints("\xff"), -1);
  EXPECT_EQ(CodePoints("\xe2\x82"), -1);
}

}  // namespace
}  // namespace elb::model
