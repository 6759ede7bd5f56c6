#include "model/member.h"

#include <gtest/gtest.h>

#include <string>

#include "model/document.h"
#include "model/testing/json.h"

namespace elb::model {
namespace {

using testing::CreateProblem;
using testing::UpdateProblem;

std::string Created(const std::string& fields) {
  Member member;
  return CreateProblem(MemberSchema(), R"({"address":"10.0.0.1","protocol_port":80)" + fields + "}",
                       &member);
}

TEST(MemberTest, NeedsAddressAndPort) {
  Member member;
  EXPECT_EQ(CreateProblem(MemberSchema(), R"({"protocol_port":80})", &member), "member.address");
  EXPECT_EQ(CreateProblem(MemberSchema(), R"({"address":"10.0.0.1"})", &member),
            "member.protocol_port");
  EXPECT_EQ(Created(R"(,"address":"")"), "member.address");
}

TEST(MemberTest, HoldsNumbersToTheirRange) {
  EXPECT_EQ(Created(R"(,"weight":0)"), "");
  EXPECT_EQ(Created(R"(,"weight":100)"), "");
  EXPECT_EQ(Created(R"(,"weight":101)"), "member.weight");
  EXPECT_EQ(Created(R"(,"weight":-1)"), "member.weight");
  EXPECT_EQ(Created(R"(,"protocol_port":65536)"), "member.protocol_port");
}

TEST(MemberTest, NamesFieldsOfAWrongType) {
  EXPECT_EQ(Created(R"(,"weight":"1")"), "member.weight");
  EXPECT_EQ(Created(R"(,"admin_state_up":1)"), "member.admin_state_up");
  EXPECT_EQ(Created(R"(,"subnet_cidr_id":1)"), "member.subnet_cidr_id");
  EXPECT_EQ(Created(R"(,"instance_id":1,"operating_status":2)"), "");
}

TEST(MemberTest, KeepsAddressPortAndSubnet) {
  Member member{.address = "10.0.0.1", .protocol_port = 80};
  EXPECT_EQ(UpdateProblem(MemberSchema(), R"({"address":"10.0.0.2"})", &member), "member.address");
  EXPECT_EQ(UpdateProblem(MemberSchema(), R"({"protocol_port":81})", &member),
            "member.protocol_port");
  EXPECT_EQ(UpdateProblem(MemberSchema(), R"({"subnet_cidr_id":"s"})", &member),
            "member.subnet_cidr_id");
  EXPECT_EQ(UpdateProblem(MemberSchema(), R"({"subnet_cidr_id":null,"protocol_port":80})", &member),
            "");
}

TEST(MemberTest, RefusesANullWeightAndTakesANullName) {
  Member member{.name = "m"};
  EXPECT_EQ(UpdateProblem(MemberSchema(), R"({"weight":null})", &member), "member.weight");
  EXPECT_EQ(UpdateProblem(MemberSchema(), R"({"name":null,"availability_zone":null})", &member),
            "");
  EXPECT_EQ(member.name, "");
}

TEST(MemberTest, StoresWhatTheServiceKeepsAboutIt) {
  const Member member{.pool_id = "p", .registration = 7, .slow_start_at_registration = true};
  Member again;

  ASSERT_TRUE(ReadStoredText(MemberInternalSchema(),
                             WriteText(MemberInternalSchema(), &member, Purpose::kStored), &again));

  EXPECT_EQ(again, member);
}

}  // namespace
}  // namespace elb::model
