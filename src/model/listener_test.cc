#include "model/listener.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "model/document.h"
#include "model/testing/json.h"

namespace elb::model {
namespace {

using testing::CreateProblem;
using testing::PathOf;
using testing::UpdateProblem;
using testing::ValueOf;

std::string Created(const std::string& fields) {
  Listener listener;
  return CreateProblem(
      ListenerSchema(),
      R"({"loadbalancer_id":"b","protocol":"HTTP","protocol_port":80)" + fields + "}", &listener);
}

Listener Make(const std::string& protocol, Kind kind = Kind::kDedicated) {
  Listener listener{.loadbalancer_id = "b", .protocol = protocol, .protocol_port = 80};
  if (listener.is_https()) {
    listener.default_tls_container_ref = "c";
  }
  FillDefaults(listener, kind);
  return listener;
}

std::string Problem(const Listener& listener, Kind kind = Kind::kDedicated) {
  return PathOf(CheckListener(listener, nullptr, kind, {}));
}

std::string Shown(const Listener& listener, std::string_view field) {
  return ValueOf(WriteText(ListenerSchema(), &listener, Purpose::kResponse), field);
}

TEST(ListenerTest, NeedsLoadBalancerProtocolAndPort) {
  Listener listener;
  EXPECT_EQ(CreateProblem(ListenerSchema(), R"({"protocol":"TCP","protocol_port":1})", &listener),
            "listener.loadbalancer_id");
  EXPECT_EQ(
      CreateProblem(ListenerSchema(), R"({"loadbalancer_id":"b","protocol_port":1})", &listener),
      "listener.protocol");
  EXPECT_EQ(
      CreateProblem(ListenerSchema(), R"({"loadbalancer_id":"b","protocol":"TCP"})", &listener),
      "listener.protocol_port");
}

TEST(ListenerTest, HoldsNumbersToTheirRange) {
  EXPECT_EQ(Created(R"(,"protocol_port":0)"), "listener.protocol_port");
  EXPECT_EQ(Created(R"(,"protocol_port":65536)"), "listener.protocol_port");
  EXPECT_EQ(Created(R"(,"keepalive_timeout":0)"), "");
  EXPECT_EQ(Created(R"(,"keepalive_timeout":4001)"), "listener.keepalive_timeout");
  EXPECT_EQ(Created(R"(,"client_timeout":0)"), "listener.client_timeout");
  EXPECT_EQ(Created(R"(,"member_timeout":301)"), "listener.member_timeout");
  EXPECT_EQ(Created(R"(,"connection_limit":-2)"), "listener.connection_limit");
  EXPECT_EQ(Created(R"(,"cps_limit":1000001)"), "listener.cps_limit");
  EXPECT_EQ(Created(R"(,"connection_limit":0,"cps_limit":1000000)"), "");
}

TEST(ListenerTest, NamesFieldsOfAWrongTypeOrWord) {
  EXPECT_EQ(Created(R"(,"protocol":"QUIC")"), "listener.protocol");
  EXPECT_EQ(Created(R"(,"protocol_port":"80")"), "listener.protocol_port");
  EXPECT_EQ(Created(R"(,"sni_container_refs":"c")"), "listener.sni_container_refs");
  EXPECT_EQ(Created(R"(,"sni_container_refs":["c","c"])"), "listener.sni_container_refs[1]");
  EXPECT_EQ(Created(R"(,"tls_ciphers_policy":"tls-9")"), "listener.tls_ciphers_policy");
  EXPECT_EQ(Created(R"(,"ipgroup":{"ipgroup_id":"g","type":"grey"})"), "listener.ipgroup.type");
  EXPECT_EQ(Created(R"(,"access_log_customized_headers_config":{"include_headers":["a b"]})"),
            "listener.access_log_customized_headers_config.include_headers[0]");
  EXPECT_EQ(Created(R"(,"extensions":{"request_id":{"modee":"always"}})"),
            "listener.extensions.request_id.modee");
  EXPECT_EQ(Created(R"(,"extensions":{"max_request_body":10737418241})"),
            "listener.extensions.max_request_body");
  EXPECT_EQ(Created(R"(,"conditions":1,"extensions":{"revision":3,"managed_by":"x"})"), "");
}

TEST(ListenerTest, KeepsWhatIsFixed) {
  Listener listener = Make("HTTP");
  EXPECT_EQ(UpdateProblem(ListenerSchema(), R"({"protocol":"TCP"})", &listener),
            "listener.protocol");
  EXPECT_EQ(UpdateProblem(ListenerSchema(), R"({"protocol_port":81})", &listener),
            "listener.protocol_port");
  EXPECT_EQ(UpdateProblem(ListenerSchema(), R"({"loadbalancer_id":"c"})", &listener),
            "listener.loadbalancer_id");
  EXPECT_EQ(
      UpdateProblem(ListenerSchema(),
                    R"({"protocol":"HTTP","protocol_port":80,"loadbalancer_id":"b"})", &listener),
      "");
}

TEST(ListenerTest, UnbindsAndResetsOnNull) {
  Listener listener = Make("HTTPS");
  listener.default_pool_id = "p";
  listener.client_ca_tls_container_ref = "a";
  listener.sni_container_refs = {"s"};
  listener.security_policy_id = "y";
  listener.ipgroup = IpGroupBinding{.ipgroup_id = "g"};
  listener.client_timeout = 5;
  listener.insert_headers = {{.key = "X-Real-IP", .flag = true}};
  listener.extensions.max_request_body = 5;

  EXPECT_EQ(UpdateProblem(ListenerSchema(),
                          R"({"default_pool_id":null,"client_ca_tls_container_ref":null,
                              "sni_container_refs":null,"security_policy_id":null,"ipgroup":null,
                              "client_timeout":null,"insert_headers":null,"extensions":null})",
                          &listener),
            "");
  FillDefaults(listener, Kind::kDedicated);

  EXPECT_EQ(listener, Make("HTTPS"));
}

TEST(ListenerTest, TakesEmptyTextForNone) {
  Listener listener = Make("HTTPS");
  listener.default_pool_id = "p";
  listener.client_ca_tls_container_ref = "a";
  listener.security_policy_id = "y";

  EXPECT_EQ(UpdateProblem(ListenerSchema(),
                          R"({"default_pool_id":"","client_ca_tls_container_ref":"",
                              "security_policy_id":""})",
                          &listener),
            "");

  EXPECT_EQ(listener, Make("HTTPS"));
  EXPECT_EQ(Shown(listener, "default_pool_id"), "null");
}

TEST(ListenerTest, KeepsAServerCertificateOnHttps) {
  Listener listener = Make("HTTPS");
  ASSERT_EQ(UpdateProblem(ListenerSchema(), R"({"default_tls_container_ref":null})", &listener),
            "");
  EXPECT_EQ(Problem(listener), "listener.default_tls_container_ref");
}

TEST(ListenerTest, UnbindsTheGroupByAnEmptyObjectAndChangesTheBindingByParts) {
  Listener listener = Make("TCP");
  listener.ipgroup = IpGroupBinding{.ipgroup_id = "g"};
  EXPECT_EQ(UpdateProblem(ListenerSchema(), R"({"ipgroup":{"type":"black"}})", &listener), "");
  EXPECT_EQ(listener.ipgroup, (IpGroupBinding{.ipgroup_id = "g", .type = "black"}));

  EXPECT_EQ(UpdateProblem(ListenerSchema(), R"({"ipgroup":{}})", &listener), "");
  EXPECT_FALSE(listener.ipgroup.has_value());

  EXPECT_EQ(UpdateProblem(ListenerSchema(), R"({"ipgroup":{"type":"black"}})", &listener), "");
  EXPECT_EQ(Problem(listener), "listener.ipgroup.ipgroup_id");
}

TEST(ListenerTest, HasTheDefaultsOfItsProtocolAndKind) {
  EXPECT_EQ(Make("HTTPS").keepalive_timeout, 60);
  EXPECT_EQ(Make("HTTPS").tls_ciphers_policy, "tls-1-0");
  EXPECT_EQ(Make("HTTPS").sni_match_algo, "wildcard");
  EXPECT_EQ(Make("HTTP").tls_ciphers_policy, "");
  EXPECT_EQ(Make("HTTP").client_timeout, 60);
  EXPECT_EQ(Make("TCP").keepalive_timeout, 300);
  EXPECT_EQ(Make("TCP").client_timeout, std::nullopt);
  EXPECT_EQ(Make("UDP").keepalive_timeout, 300);
  EXPECT_EQ(Make("UDP", Kind::kShared).keepalive_timeout, std::nullopt);
  EXPECT_EQ(Make("TCP", Kind::kShared).transparent_client_ip_enable, false);
  EXPECT_EQ(Make("HTTP", Kind::kShared).transparent_client_ip_enable, true);
  EXPECT_EQ(Make("HTTPS", Kind::kShared).protocol, "TERMINATED_HTTPS");
  EXPECT_EQ(Make("TERMINATED_HTTPS").protocol, "HTTPS");
}

TEST(ListenerTest, KeepsAlternativeTextsOnOtherProtocols) {
  Listener listener = Make("HTTP");
  ASSERT_EQ(UpdateProblem(ListenerSchema(),
                          R"({"sni_match_algo":"longest_suffix","tls_ciphers_policy":"tls-1-2",
                              "http2_enable":true})",
                          &listener),
            "");
  FillDefaults(listener, Kind::kDedicated);

  EXPECT_EQ(Shown(listener, "sni_match_algo"), "\"longest_suffix\"");
  EXPECT_EQ(Shown(listener, "tls_ciphers_policy"), "null");
  EXPECT_EQ(Shown(listener, "http2_enable"), "true");
}

TEST(ListenerTest, RefusesTlsFieldsElsewhereThanOnHttps) {
  Listener listener = Make("HTTP");
  listener.default_tls_container_ref = "c";
  EXPECT_EQ(Problem(listener), "listener.default_tls_container_ref");
  listener = Make("TCP");
  listener.sni_container_refs = {"c"};
  EXPECT_EQ(Problem(listener), "listener.sni_container_refs");
  listener = Make("HTTP");
  listener.security_policy_id = "y";
  EXPECT_EQ(Problem(listener), "listener.security_policy_id");
}

TEST(ListenerTest, OffersSharedLoadBalancersFivePolicies) {
  Listener listener = Make("HTTPS", Kind::kShared);
  listener.tls_ciphers_policy = "tls-1-2-strict";
  EXPECT_EQ(Problem(listener, Kind::kShared), "");
  listener.tls_ciphers_policy = "tls-1-2-fs";
  EXPECT_EQ(Problem(listener, Kind::kShared), "listener.tls_ciphers_policy");
  EXPECT_EQ(Problem(Make("HTTPS")), "");
}

TEST(ListenerTest, RefusesShortIdleTimesAndTheVxlanPortAtLayer4) {
  Listener listener = Make("TCP");
  listener.keepalive_timeout = 9;
  EXPECT_EQ(Problem(listener), "listener.keepalive_timeout");
  listener.keepalive_timeout = 10;
  EXPECT_EQ(Problem(listener), "");
  listener = Make("UDP");
  listener.protocol_port = 4789;
  EXPECT_EQ(Problem(listener), "listener.protocol_port");
}

TEST(ListenerTest, HidesClientsOnSharedLayer4Only) {
  Listener listener = Make("TCP", Kind::kShared);
  listener.transparent_client_ip_enable = false;
  EXPECT_EQ(Problem(listener, Kind::kShared), "");
  EXPECT_EQ(Problem(listener, Kind::kDedicated), "listener.transparent_client_ip_enable");
}

TEST(ListenerTest, NeverSwitchesAdvancedForwardingOff) {
  Listener before = Make("HTTP");
  before.enhance_l7policy_enable = true;
  EXPECT_EQ(Problem(before), "");
  EXPECT_EQ(PathOf(CheckListener(Make("HTTP"), &before, Kind::kDedicated, {})),
            "listener.enhance_l7policy_enable");
  Listener tcp = Make("TCP");
  tcp.enhance_l7policy_enable = true;
  EXPECT_EQ(Problem(tcp), "listener.enhance_l7policy_enable");
}

TEST(ListenerTest, RefusesHeadersThatTheLogHasAnyway) {
  Listener listener = Make("HTTP");
  listener.access_log_customized_headers_config =
      AccessLogHeaders{.include_headers = {"X-Tenant", "User-Agent"}};
  EXPECT_EQ(Problem(listener), "listener.access_log_customized_headers_config.include_headers[1]");
}

TEST(ListenerTest, RefusesATagKeyTwice) {
  Listener listener = Make("HTTP");
  listener.tags = {{.key = "a"}, {.key = "a"}};
  EXPECT_EQ(Problem(listener), "listener.tags[1].key");
}

TEST(ListenerExtensionsTest, MergeAtEveryDepth) {
  Listener listener = Make("HTTP");
  ASSERT_EQ(UpdateProblem(ListenerSchema(),
                          R"({"extensions":{"request_id":{"mode":"always","format":"uuid"}}})",
                          &listener),
            "");
  ASSERT_EQ(UpdateProblem(ListenerSchema(),
                          R"({"extensions":{"request_id":{"format":null},"max_request_body":9}})",
                          &listener),
            "");
  EXPECT_EQ(listener.extensions.request_id, (RequestIdSettings{.mode = "always"}));
  EXPECT_EQ(listener.extensions.max_request_body, 9);

  ASSERT_EQ(UpdateProblem(ListenerSchema(), R"({"extensions":{"request_id":null}})", &listener),
            "");
  EXPECT_EQ(listener.extensions.request_id, RequestIdSettings{});
  EXPECT_EQ(listener.extensions.max_request_body, 9);

  ASSERT_EQ(UpdateProblem(ListenerSchema(), R"({"extensions":{}})", &listener), "");
  EXPECT_EQ(listener.extensions.max_request_body, 9);
}

TEST(ListenerExtensionsTest, AreForHttpWhereTheyConcernRequests) {
  Listener listener = Make("TCP");
  listener.extensions.max_request_body = 5;
  EXPECT_EQ(Problem(listener), "listener.extensions.max_request_body");
  listener = Make("TCP");
  listener.extensions.request_id.mode = "always";
  EXPECT_EQ(Problem(listener), "listener.extensions.request_id");
  listener = Make("TCP");
  listener.extensions.front_proxy = {.mode = "proxy_protocol", .trusted_ipgroup_id = "g"};
  EXPECT_EQ(Problem(listener), "");
  listener.extensions.front_proxy.mode = "forwarded";
  EXPECT_EQ(Problem(listener), "listener.extensions.front_proxy.mode");
}

TEST(ListenerExtensionsTest, NeedTheGroupOfAFrontProxy) {
  Listener listener = Make("HTTP");
  listener.extensions.front_proxy.mode = "x_forwarded_for";
  EXPECT_EQ(Problem(listener), "listener.extensions.front_proxy.trusted_ipgroup_id");
}

TEST(ListenerExtensionsTest, PutNoRequestIdIntoAFieldOfAnotherMeaning) {
  for (const char* header : {"Host", "content-length", "X-Forwarded-For", "x-real-ip", "Cookie"}) {
    Listener listener = Make("HTTP");
    listener.extensions.request_id.header = header;
    EXPECT_EQ(Problem(listener), "listener.extensions.request_id.header") << header;
  }
  Listener listener = Make("HTTP");
  listener.extensions.request_id.header = "X-Correlation-Id";
  EXPECT_EQ(Problem(listener), "");
}

TEST(InsertHeadersTest, ShowFourOnHttpAndOnlyWhatWasSetOnTcp) {
  EXPECT_EQ(Shown(Make("HTTP"), "insert_headers"),
            R"({"X-Forwarded-ELB-IP":false,"X-Forwarded-For-Port":false,)"
            R"("X-Forwarded-Host":true,"X-Forwarded-Port":false})");
  EXPECT_EQ(Shown(Make("TCP"), "insert_headers"), "{}");
}

TEST(InsertHeadersTest, MergeByKey) {
  Listener listener = Make("TCP");
  ASSERT_EQ(
      UpdateProblem(ListenerSchema(),
                    R"({"insert_headers":{"X-Real-IP":true,"X-Forwarded-Port":true}})", &listener),
      "");
  ASSERT_EQ(UpdateProblem(ListenerSchema(),
                          R"({"insert_headers":{"X-Real-IP":false,"X-Unknown":1}})", &listener),
            "");
  EXPECT_EQ(Shown(listener, "insert_headers"), R"({"X-Forwarded-Port":true,"X-Real-IP":false})");
}

TEST(InsertHeadersTest, AreUnchangedBySettingTheSameAgain) {
  Listener listener = Make("HTTP");
  const char* body = R"({"insert_headers":{"X-Real-IP":true,"X-Forwarded-Port":true}})";
  ASSERT_EQ(UpdateProblem(ListenerSchema(), body, &listener), "");
  const Listener before = listener;

  ASSERT_EQ(
      UpdateProblem(ListenerSchema(), R"({"insert_headers":{"X-Forwarded-Port":true}})", &listener),
      "");

  EXPECT_EQ(listener, before);
}

TEST(InsertHeadersTest, NameTheKeyThatIsWrong) {
  EXPECT_EQ(Created(R"(,"insert_headers":[])"), "listener.insert_headers");
  EXPECT_EQ(Created(R"(,"insert_headers":{"X-Real-IP":"true"})"),
            "listener.insert_headers.X-Real-IP");
  EXPECT_EQ(Created(R"(,"insert_headers":{"X-Forwarded-TLS-Cipher-alias":"a b"})"),
            "listener.insert_headers.X-Forwarded-TLS-Cipher-alias");
  EXPECT_EQ(Created(R"(,"insert_headers":{"X-Forwarded-For-Processing-Mode":"drop"})"),
            "listener.insert_headers.X-Forwarded-For-Processing-Mode");
}

}  // namespace
}  // namespace elb::model
