#include "server/own_answer.h"

#include <gtest/gtest.h>

#include <string>

namespace elb::server {
namespace {

AnswerForm FormFor(std::string_view accept) {
  return PreferredForm({{.name = "Accept", .value = accept, .known = http::FieldName::kAccept}});
}

std::string FieldsOf(const OwnAnswer& answer) {
  std::string text;
  for (const http::Field& field : answer.fields()) {
    text += std::string(field.name) + ": " + std::string(field.value) + "\n";
  }
  return text;
}

TEST(PreferredFormTest, IsHtmlWithoutAccept) { EXPECT_EQ(PreferredForm({}), AnswerForm::kHtml); }

TEST(PreferredFormTest, IsHtmlForBrowsersAndForThoseThatTakeAnything) {
  EXPECT_EQ(FormFor("text/html,application/xhtml+xml,*/*;q=0.8"), AnswerForm::kHtml);
  EXPECT_EQ(FormFor("*/*"), AnswerForm::kHtml);
  EXPECT_EQ(FormFor("image/png"), AnswerForm::kHtml);
  EXPECT_EQ(FormFor(""), AnswerForm::kHtml);
}

TEST(PreferredFormTest, IsJsonWhenOnlyJsonIsNamed) {
  EXPECT_EQ(FormFor("application/json"), AnswerForm::kJson);
  EXPECT_EQ(FormFor("Application/JSON"), AnswerForm::kJson);
  EXPECT_EQ(FormFor(" application/json ; charset=utf-8"), AnswerForm::kJson);
  EXPECT_EQ(FormFor("application/json, text/plain, */*"), AnswerForm::kJson);
}

TEST(PreferredFormTest, FollowsTheWeights) {
  EXPECT_EQ(FormFor("text/html;q=0.4, application/json;q=0.5"), AnswerForm::kJson);
  EXPECT_EQ(FormFor("application/json;q=0.5, text/html"), AnswerForm::kHtml);
  EXPECT_EQ(FormFor("application/json;q=0.5, */*"), AnswerForm::kHtml);
  EXPECT_EQ(FormFor("application/json;q=0"), AnswerForm::kHtml);
  EXPECT_EQ(FormFor("application/json;Q=0.500;q=0"), AnswerForm::kJson);
}

TEST(PreferredFormTest, IsHtmlWhenBothWeighTheSame) {
  EXPECT_EQ(FormFor("application/json, text/html"), AnswerForm::kHtml);
}

TEST(PreferredFormTest, TakesTheMostSpecificRangeForHtml) {
  EXPECT_EQ(FormFor("text/html;q=0.9, text/*;q=0.1, application/json;q=0.5"), AnswerForm::kHtml);
  EXPECT_EQ(FormFor("text/*;q=0.9, text/html;q=0.1, application/json;q=0.5"), AnswerForm::kJson);
  EXPECT_EQ(FormFor("text/*;q=0.9, application/json;q=0.5"), AnswerForm::kHtml);
}

TEST(PreferredFormTest, TakesUnreadableWeightsForOne) {
  EXPECT_EQ(FormFor("application/json;q=x, text/html;q=0.9"), AnswerForm::kJson);
  EXPECT_EQ(FormFor("application/json;q=2, text/html;q=0.9"), AnswerForm::kJson);
}

TEST(PreferredFormTest, ReadsEveryAcceptField) {
  EXPECT_EQ(PreferredForm(
                {{.name = "Accept", .value = "text/html;q=0.1", .known = http::FieldName::kAccept},
                 {.name = "Accept",
                  .value = "application/json;q=0.2",
                  .known = http::FieldName::kAccept}}),
            AnswerForm::kJson);
}

TEST(OwnAnswerTest, ShowsStatusAndPhraseAsHtml) {
  const OwnAnswer answer(503, "no_default_pool", AnswerForm::kHtml);

  EXPECT_EQ(answer.status(), 503);
  EXPECT_EQ(FieldsOf(answer), "Server: elb\nContent-Type: text/html; charset=utf-8\n");
  EXPECT_EQ(answer.content(),
            "<!DOCTYPE html>\n<html><head><title>503 Service Unavailable</title></head>"
            "<body><h1>503 Service Unavailable</h1></body></html>\n");
}

TEST(OwnAnswerTest, ShowsStatusAndReasonAsJson) {
  const OwnAnswer answer(503, "no_default_pool", AnswerForm::kJson);

  EXPECT_EQ(FieldsOf(answer), "Server: elb\nContent-Type: application/json\n");
  EXPECT_EQ(answer.content(), R"({"status":503,"error":"no_default_pool"})");
}

TEST(OwnAnswerTest, TakesFurtherFields) {
  OwnAnswer answer(200, {}, AnswerForm::kHtml);

  answer.AddField("x-router-code", "40000");

  EXPECT_EQ(FieldsOf(answer),
            "Server: elb\nContent-Type: text/html; charset=utf-8\nx-router-code: 40000\n");
}

}  // namespace
}  // namespace elb::server
