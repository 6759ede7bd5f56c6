// Which problem gives which status and code (api-v3.md 1.9.3, api-extensions.md 1.5).
#include "rest/error_codes.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace elb::rest {
namespace {

std::string Wire(Problem problem) {
  const WireError wire = ToWire(problem);
  return std::to_string(wire.status) + " " + wire.code;
}

struct Row {
  ErrorKind kind;
  std::string_view path;
  std::string_view dedicated;
  std::string_view shared;
};

TEST(ErrorCodesTest, TellDedicatedFromShared) {
  static constexpr Row kRows[] = {
      {ErrorKind::kMissing, "pool.protocol", "400 ELB.8902", "400 ELB.9805"},
      {ErrorKind::kInvalid, "listener.client_timeout", "400 ELB.8902", "400 ELB.9899"},
      {ErrorKind::kInvalid, "listener.protocol_port", "400 ELB.8902", "400 ELB.6041"},
      {ErrorKind::kInvalid, "listener.protocol", "400 ELB.8902", "400 ELB.6061"},
      {ErrorKind::kInvalid, "pool.protocol", "400 ELB.8902", "400 ELB.6071"},
      {ErrorKind::kInvalid, "pool.lb_algorithm", "400 ELB.8902", "400 ELB.6051"},
      {ErrorKind::kInvalid, "listener.name", "400 ELB.8902", "400 ELB.6011"},
      {ErrorKind::kInvalid, "listener.description", "400 ELB.8902", "400 ELB.6031"},
      {ErrorKind::kInvalid, "loadbalancer.name", "400 ELB.8902", "400 ELB.1021"},
      {ErrorKind::kInvalid, "loadbalancer.description", "400 ELB.8902", "400 ELB.1031"},
      {ErrorKind::kInvalid, "healthmonitor.delay", "400 ELB.8902", "400 ELB.7001"},
      {ErrorKind::kImmutable, "listener.protocol", "400 ELB.8902", "400 ELB.6015"},
      {ErrorKind::kImmutable, "pool.protocol", "400 ELB.8902", "400 ELB.9899"},
      {ErrorKind::kReferenceNotFound, "pool.listener_id", "404 ELB.8904", "404 ELB.8904"},
      {ErrorKind::kReferenceNotFound, "listener.sni_container_refs[0]", "404 ELB.8904",
       "400 ELB.5040"},
      {ErrorKind::kPortTaken, "listener.protocol_port", "409 ELB.8907", "400 ELB.6200"},
      {ErrorKind::kConflict, "", "409 ELB.8907", "409 ELB.8907"},
      {ErrorKind::kHasMembers, "", "409 ELB.8907", "400 ELB.1018"},
      {ErrorKind::kQuota, "listener", "409 ELB.8905", "400 ELB.9807"},
      {ErrorKind::kRestricted, "pool.protocol", "400 ELB.8902", "400 ELB.9899"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(Wire({.path = row.path, .kind = row.kind}), row.dedicated) << row.path;
    EXPECT_EQ(Wire({.path = row.path, .kind = row.kind, .shared = true}), row.shared) << row.path;
  }
}

TEST(ErrorCodesTest, TellCreatesFromUpdatesOfCertificates) {
  const auto both = [](ErrorKind kind) {
    return Wire({.path = "", .kind = kind}) + ", " +
           Wire({.path = "", .kind = kind, .shared = false, .update = true});
  };

  EXPECT_EQ(both(ErrorKind::kUnusableCertificate), "400 ELB.1011, 400 ELB.5013");
  EXPECT_EQ(both(ErrorKind::kUnusableCaCertificate), "400 ELB.5051, 400 ELB.5053");
}

TEST(ErrorCodesTest, AreTheSameForExtensionsOfSharedLoadBalancers) {
  const auto shared = [](ErrorKind kind, std::string_view path) {
    return Wire({.path = path, .kind = kind, .shared = true});
  };

  EXPECT_EQ(shared(ErrorKind::kInvalid, "listener.extensions.request_id.mode"), "400 ELB.8902");
  EXPECT_EQ(shared(ErrorKind::kMissing, "listener.extensions.front_proxy.trusted_ipgroup_id"),
            "400 ELB.8902");
  EXPECT_EQ(shared(ErrorKind::kInvalid, "listener.tags"), "400 ELB.9899");
}

TEST(ErrorCodesTest, HaveACodeForEverythingElse) {
  static constexpr std::pair<ErrorKind, std::string_view> kRows[] = {
      {ErrorKind::kEmptyBody, "400 ELB.0002"},       {ErrorKind::kNotFound, "404 ELB.8904"},
      {ErrorKind::kUnauthenticated, "401 SYS.0401"}, {ErrorKind::kForbiddenProject, "403 SYS.0403"},
      {ErrorKind::kForbiddenAction, "403 ELB.9802"}, {ErrorKind::kUnsupported, "403 ELB.8962"},
      {ErrorKind::kPrecondition, "412 ELB.9710"},    {ErrorKind::kBadOption, "400 ELB.9702"},
      {ErrorKind::kSoldOut, "400 ELB.8950"},         {ErrorKind::kFlavorChange, "400 ELB.8959"},
      {ErrorKind::kNoIpTarget, "400 ELB.8939"},      {ErrorKind::kIpTargetProtocol, "400 ELB.8938"},
      {ErrorKind::kIpVersion, "400 ELB.8933"},       {ErrorKind::kNoIpv6, "400 ELB.8932"},
      {ErrorKind::kTooManyAttempts, "429 ELB.9721"}, {ErrorKind::kTooLarge, "413 ELB.9761"},
      {ErrorKind::kStorage, "500 ELB.8906"},         {ErrorKind::kInternal, "500 ELB.8906"},
  };
  for (const auto& [kind, expected] : kRows) {
    EXPECT_EQ(Wire({.path = "", .kind = kind}), expected);
  }
}

TEST(ErrorResponseTest, NamesFieldCodeAndRequest) {
  const Error error{.kind = ErrorKind::kInvalid, .path = "pool.name", .message = "too long"};

  EXPECT_EQ(ErrorResponse(error, false, "r1").body,
            R"({"error_code":"ELB.8902","error_msg":"too long","request_id":"r1",)"
            R"("details":[{"path":"pool.name","code":"ELB.8902","message":"too long"}]})");
}

TEST(ErrorResponseTest, ListsAllProblemsEachWithItsOwnCode) {
  const Error error{.kind = ErrorKind::kMissing,
                    .path = "listener.protocol",
                    .message = "mandatory",
                    .details = {{.path = "listener.protocol",
                                 .kind = ErrorKind::kMissing,
                                 .message = "mandatory"},
                                {.path = "listener.name",
                                 .kind = ErrorKind::kInvalid,
                                 .message = "too long",
                                 .facts = {{"current", "x"}}}},
                    .shared = true};

  EXPECT_EQ(ErrorResponse(error, false, "r1").body,
            R"({"error_code":"ELB.9805","error_msg":"mandatory","request_id":"r1",)"
            R"("details":[{"path":"listener.protocol","code":"ELB.9805","message":"mandatory"},)"
            R"({"path":"listener.name","code":"ELB.6011","message":"too long","current":"x"}]})");
}

TEST(ErrorResponseTest, NamesWhatStandsInTheWay) {
  const Error error{.kind = ErrorKind::kConflict,
                    .path = "",
                    .message = "in use",
                    .blockers = {{.kind = "listener", .id = "l1", .name = "web"}},
                    .blockers_total = 60};

  EXPECT_EQ(ErrorResponse(error, false, "r1").body,
            R"({"error_code":"ELB.8907","error_msg":"in use","request_id":"r1",)"
            R"("blockers":[{"kind":"listener","id":"l1","name":"web"}],"blockers_total":60})");
}

}  // namespace
}  // namespace elb::rest
