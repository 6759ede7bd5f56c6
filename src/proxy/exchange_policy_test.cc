// Forwarding policies as a client sees them.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/testing/simulated_network.h"
#include "net/testing/simulated_reactor.h"
#include "proxy/generation.h"
#include "proxy/testing/http2_front.h"
#include "proxy/worker_listener.h"
#include "server/testing/client_wire.h"

namespace elb::proxy {
namespace {

using contract::ConfigSnapshot;
using contract::L7PolicyConfig;
using contract::ListenerConfig;
using contract::PolicyAction;
using server::testing::FieldPairs;

/// One HTTP listener on one worker, whose configuration tests change, and one client.
class ExchangePolicyTest : public ::testing::Test {
 protected:
  ExchangePolicyTest() {
    context_.registry = &registry_;
    worker_.reactor = &reactor_;
    worker_.network = &network_;
    listener_.id = ListenerId("l");
    listener_.port = 80;
  }
  ~ExchangePolicyTest() override { served_.reset(); }

  L7PolicyConfig& Add(PolicyAction action, std::string id = "p") {
    listener_.policies.push_back({.id = L7PolicyId(std::move(id)), .action = action});
    return listener_.policies.back();
  }
  L7PolicyConfig& AddFixed(int status, std::string body) {
    L7PolicyConfig& policy = Add(PolicyAction::kFixedResponse);
    policy.status_code = status;
    policy.content_type = "text/html";
    policy.message_body = std::move(body);
    return policy;
  }
  void SetPools(const std::vector<std::string>& ids) {
    pools_.clear();
    for (const std::string& id : ids) {
      auto pool = std::make_shared<contract::PoolConfig>();
      pool->id = PoolId(id);
      pools_[PoolId(id)] = pool;
    }
  }
  /// Puts the configuration in force, as `ProxyDataPlane::Apply` does.
  void Apply() {
    if (config_ == nullptr || *config_ != listener_) {
      config_ = std::make_shared<ListenerConfig>(listener_);
    }
    auto snapshot = std::make_shared<ConfigSnapshot>();
    snapshot->listeners[listener_.id] = config_;
    snapshot->pools = pools_;
    generation_ = Compile(snapshot, generation_.get(), context_).value();
    for (const auto& pool : generation_->changed_pools) {
      pool->scheduler->Activate(clock_.Now());
    }
    for (const auto& choice : generation_->changed_choices) {
      choice->Activate();
    }
    const auto& compiled = generation_->listeners.at(listener_.id);
    if (served_ == nullptr) {
      served_ = std::make_unique<WorkerListener>(compiled, worker_);
    } else if (!generation_->changed.empty()) {
      served_->Update(compiled);
    }
  }
  void Connect() {
    if (served_ == nullptr) {
      Apply();
    }
    wire_ = std::make_unique<server::testing::ClientWire>();
    served_->OnAccept(std::make_unique<server::testing::WireStream>(*wire_));
    Settle();
  }
  void Settle() { reactor_.RunFor(std::chrono::milliseconds(1)); }
  /// The answer to a request over HTTP/2, on a connection of its own.
  testing::Http2Answer Ask(const FieldPairs& fields, std::string_view content = {}) {
    if (served_ == nullptr) {
      Apply();
    }
    testing::Http2Front front(*served_, reactor_);
    return front.Ask(fields, content);
  }
  /// What comes back, without its Date line.
  std::string Send(std::string_view bytes) {
    if (wire_ == nullptr) {
      Connect();
    }
    wire_->Send(bytes);
    Settle();
    std::string answer = wire_->TakeOutbound();
    const std::size_t date = answer.find("Date: ");
    if (date != std::string::npos) {
      answer.erase(date, answer.find("\r\n", date) + 2 - date);
    }
    return answer;
  }
  std::uint64_t Count(ListenerCounter counter) {
    return registry_.Listener(ListenerId("l"))->counters.Sum(counter);
  }
  std::uint64_t Requests(const std::string& pool) {
    return registry_.Pool(PoolId(pool))->counters.Sum(PoolCounter::kRequests);
  }

  ManualClock clock_;
  net::testing::SimulatedReactor reactor_{clock_};
  net::testing::SimulatedNetwork network_{reactor_, 1};
  contract::MemberCells cells_;
  RuntimeRegistry registry_{1, cells_};
  CompileContext context_;
  WorkerContext worker_;
  ListenerConfig listener_;
  std::shared_ptr<const ListenerConfig> config_;
  decltype(ConfigSnapshot::pools) pools_;
  std::shared_ptr<const Generation> generation_;
  std::unique_ptr<server::testing::ClientWire> wire_;
  std::unique_ptr<WorkerListener> served_;
};

FieldPairs Http2Request(std::string method, std::string path) {
  return {{":method", std::move(method)},
          {":scheme", "https"},
          {":path", std::move(path)},
          {":authority", "a.com"}};
}
FieldPairs Http2Get(std::string path) { return Http2Request("GET", std::move(path)); }

std::string WithoutDate(std::string head) {
  const std::size_t date = head.find("date: ");
  return date == std::string::npos ? head : head.erase(date, head.find('\n', date) + 1 - date);
}

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a.com\r\n\r\n";

TEST_F(ExchangePolicyTest, T10_9_AnswersExactlyWhatThePolicySays) {
  AddFixed(403, "<p>no</p>");

  EXPECT_EQ(Send(kGet),
            "HTTP/1.1 403 Forbidden\r\nServer: elb\r\nContent-Type: text/html\r\n"
            "Content-Length: 9\r\n\r\n<p>no</p>");
  EXPECT_EQ(Count(ListenerCounter::kOwn4xx), 1U);
  EXPECT_EQ(Count(ListenerCounter::kStatus4xx), 1U);
}

TEST_F(ExchangePolicyTest, T10_9_AnswersTheSameOverHttp2) {
  AddFixed(403, "<p>no</p>");

  const auto answer = Ask(Http2Get("/"));

  EXPECT_EQ(WithoutDate(answer.head),
            ":status: 403\nserver: elb\ncontent-type: text/html\ncontent-length: 9\n");
  EXPECT_EQ(answer.content, "<p>no</p>");
  EXPECT_EQ(answer.closed, 0U);
}

TEST_F(ExchangePolicyTest, KeepsTheConnectionAlsoAfterAFixed400) {
  AddFixed(400, "x");

  EXPECT_TRUE(Send(kGet).starts_with("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_TRUE(Send(kGet).starts_with("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_F(ExchangePolicyTest, SendsNoBodyForHead204And205) {
  L7PolicyConfig& policy = AddFixed(200, "text");
  EXPECT_TRUE(Send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").ends_with("Content-Length: 4\r\n\r\n"));

  policy.status_code = 204;
  Apply();
  EXPECT_EQ(Send(kGet),
            "HTTP/1.1 204 No Content\r\nServer: elb\r\nContent-Type: text/html\r\n\r\n");

  policy.status_code = 205;
  Apply();
  EXPECT_TRUE(Send(kGet).ends_with("Content-Length: 0\r\n\r\n"));
}

TEST_F(ExchangePolicyTest, ReadsASmallBodyAndKeepsTheConnection) {
  AddFixed(200, "ok");

  EXPECT_EQ(Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc"), "");
  EXPECT_TRUE(Send("def").ends_with("Content-Length: 2\r\n\r\nok"));
  EXPECT_TRUE(Send(kGet).ends_with("\r\n\r\nok"));
}

TEST_F(ExchangePolicyTest, ReadsASmallBodyOverHttp2) {
  AddFixed(200, "ok");

  const auto answer = Ask(Http2Request("POST", "/"), std::string(60'000, 'x'));

  EXPECT_TRUE(answer.Has(":status: 200\n")) << answer.head;
  EXPECT_EQ(answer.content, "ok");
  EXPECT_EQ(answer.closed, 0U);
  EXPECT_TRUE(answer.resets.empty());
}

TEST_F(ExchangePolicyTest, AnswersALargeBodyAtOnceAndCloses) {
  AddFixed(403, "no");

  EXPECT_TRUE(Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048576\r\n\r\nabc")
                  .ends_with("Connection: close\r\n\r\nno"));
}

TEST_F(ExchangePolicyTest, AnswersALargeBodyOverHttp2AtOnce) {
  AddFixed(403, "no");

  const auto answer = Ask(Http2Request("POST", "/"), std::string(200'000, 'x'));

  EXPECT_TRUE(answer.Has(":status: 403\n")) << answer.head;
  EXPECT_EQ(answer.content, "no");
  EXPECT_TRUE(answer.ended);
  EXPECT_EQ(answer.closed, 0U);
}

TEST_F(ExchangePolicyTest, StopsReadingAChunkedBodyThatGrowsLarge) {
  AddFixed(403, "no");
  ASSERT_EQ(Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"), "");
  const std::string chunk = "8000\r\n" + std::string(0x8000, 'a') + "\r\n";

  EXPECT_EQ(Send(chunk), "");
  EXPECT_EQ(Send(chunk), "");
  EXPECT_TRUE(Send(chunk).ends_with("Connection: close\r\n\r\nno"));
}

TEST_F(ExchangePolicyTest, DoesNotWaitForABodyThatWaitsForA100) {
  AddFixed(403, "no");

  EXPECT_TRUE(
      Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
          .ends_with("Connection: close\r\n\r\nno"));
}

TEST_F(ExchangePolicyTest, Records499WhenTheClientLeavesInItsBody) {
  AddFixed(403, "no");
  ASSERT_EQ(Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc"), "");

  wire_->Break();
  Settle();

  EXPECT_EQ(Count(ListenerCounter::kStatus499), 1U);
}

TEST_F(ExchangePolicyTest, AnswersASlowBodyWhenItsTimeIsOver) {
  AddFixed(403, "no");
  ASSERT_EQ(Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc"), "");

  reactor_.RunFor(std::chrono::seconds(61));

  EXPECT_TRUE(Send("").ends_with("Connection: close\r\n\r\nno"));
}

TEST_F(ExchangePolicyTest, T10_7_RedirectsToTheListener) {
  Add(PolicyAction::kToListener, "r").listener_port = 8443;

  EXPECT_EQ(Send("GET /p?q=1 HTTP/1.1\r\nHost: a.com:80\r\n\r\n"),
            "HTTP/1.1 301 Moved Permanently\r\nServer: elb\r\n"
            "Content-Type: text/html; charset=utf-8\r\nLocation: https://a.com:8443/p?q=1\r\n"
            "Content-Length: 122\r\n\r\n"
            "<!DOCTYPE html>\n<html><head><title>301 Moved Permanently</title></head>"
            "<body><h1>301 Moved Permanently</h1></body></html>\n");
  EXPECT_TRUE(
      Send("HEAD / HTTP/1.1\r\nHost: a.com\r\n\r\n").ends_with("Content-Length: 122\r\n\r\n"));
  EXPECT_TRUE(Send("POST / HTTP/1.1\r\nHost: a.com\r\nContent-Length: 0\r\n\r\n")
                  .starts_with("HTTP/1.1 301 "));
  EXPECT_EQ(Count(ListenerCounter::kOwn3xx), 3U);
}

TEST_F(ExchangePolicyTest, T10_7_RedirectsHttp2WithoutContentForHead) {
  Add(PolicyAction::kToListener, "r").listener_port = 443;

  const auto answer = Ask(Http2Request("HEAD", "/p?q=1"));

  EXPECT_EQ(WithoutDate(answer.head),
            ":status: 301\nserver: elb\ncontent-type: text/html; charset=utf-8\n"
            "location: https://a.com/p?q=1\ncontent-length: 122\n");
  EXPECT_EQ(answer.content, "");
}

TEST_F(ExchangePolicyTest, LetsNoPolicyAnswerWhatNoMemberMaySee) {
  Add(PolicyAction::kToListener, "r").listener_port = 443;

  EXPECT_TRUE(Send("TRACE / HTTP/1.1\r\nHost: a.com\r\n\r\n").starts_with("HTTP/1.1 405 "));
  EXPECT_TRUE(
      Send("GET / HTTP/1.1\r\nHost: a.com\r\nExpect: tea\r\n\r\n").starts_with("HTTP/1.1 417 "));
}

TEST_F(ExchangePolicyTest, RedirectsToAUrl) {
  L7PolicyConfig& policy = Add(PolicyAction::kToUrl);
  policy.status_code = 307;
  policy.url_host = "www.b.com";
  policy.url_path = "/new";

  const std::string answer = Send(kGet);

  EXPECT_TRUE(answer.starts_with("HTTP/1.1 307 Temporary Redirect\r\n")) << answer;
  EXPECT_TRUE(answer.contains("\r\nLocation: http://www.b.com/new\r\n")) << answer;
}

TEST_F(ExchangePolicyTest, RefusesAUrlThatBecomesTooLong) {
  L7PolicyConfig& policy = Add(PolicyAction::kToUrl);
  policy.status_code = 302;
  policy.url_path = "${path}${path}${path}";

  EXPECT_TRUE(Send("GET /" + std::string(15000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n")
                  .starts_with("HTTP/1.1 414 "));
}

TEST_F(ExchangePolicyTest, Answers40000WithoutPolicyAndDefaultPool) {
  EXPECT_TRUE(Send(kGet).contains("\r\nx-router-code: 40000\r\n"));
}

TEST_F(ExchangePolicyTest, Answers40001WhenThePolicysPoolIsMissingOrEmpty) {
  Add(PolicyAction::kToPool).pools = {{.pool = PoolId("one"), .weight = 1}};
  EXPECT_TRUE(Send(kGet).contains("\r\nx-router-code: 40001\r\n"));

  SetPools({"one"});
  Apply();
  EXPECT_TRUE(Send(kGet).contains("\r\nx-router-code: 40001\r\n"));
  EXPECT_EQ(Requests("one"), 1U);
}

TEST_F(ExchangePolicyTest, Answers40001OverHttp2) {
  Add(PolicyAction::kToPool).pools = {{.pool = PoolId("one"), .weight = 1}};

  EXPECT_TRUE(Ask(Http2Get("/")).Has("x-router-code: 40001\n"));
}

TEST_F(ExchangePolicyTest, TakesTheAuthorityOfHttp2ForTheHost) {
  AddFixed(200, "of a.com").rules = {
      {.type = contract::RuleType::kHostName, .values = {"a.com"}},
      {.type = contract::RuleType::kQueryString, .key = "x", .values = {"1?3"}}};

  EXPECT_EQ(Ask(Http2Get("/?x=123")).content, "of a.com");
  EXPECT_TRUE(Ask(Http2Get("/?x=13")).Has("x-router-code: 40000\n"));
}

TEST_F(ExchangePolicyTest, Answers40001WhenAllWeightsAreZero) {
  SetPools({"one", "two"});
  Add(PolicyAction::kToPool).pools = {{.pool = PoolId("one"), .weight = 0},
                                      {.pool = PoolId("two"), .weight = 0}};

  EXPECT_TRUE(Send(kGet).contains("\r\nx-router-code: 40001\r\n"));
}

TEST_F(ExchangePolicyTest, FollowsAPoolThatChangesWhileTheListenerStaysTheSame) {
  SetPools({"one"});
  Add(PolicyAction::kToPool).pools = {{.pool = PoolId("one"), .weight = 1}};
  Apply();
  const auto before = generation_->listeners.at(listener_.id)->targets[0].pools[0];

  SetPools({"one"});
  Apply();

  const auto& after = generation_->listeners.at(listener_.id)->targets[0].pools[0];
  EXPECT_NE(after, before);
  EXPECT_EQ(after, generation_->pools.at(PoolId("one")));
}

TEST_F(ExchangePolicyTest, T10_10_SharesRequestsExactlyAlsoOverChanges) {
  SetPools({"one", "two"});
  Add(PolicyAction::kToPool).pools = {{.pool = PoolId("one"), .weight = 80},
                                      {.pool = PoolId("two"), .weight = 20}};
  for (int i = 0; i < 1000; ++i) {
    if (i % 100 == 33) {
      listener_.keepalive_timeout += std::chrono::seconds(1);
      SetPools({"one", "two"});
      Apply();
    }
    ASSERT_TRUE(Send(kGet).starts_with("HTTP/1.1 503 "));  // The pools have no members.
  }

  EXPECT_EQ(Requests("one"), 800U);
  EXPECT_EQ(Requests("two"), 200U);
}

TEST_F(ExchangePolicyTest, KeepsMatchersWhileThePoliciesStayTheSame) {
  AddFixed(200, "");
  Apply();
  const auto before = generation_->listeners.at(listener_.id)->router;

  listener_.member_retry = false;
  Apply();
  EXPECT_EQ(generation_->listeners.at(listener_.id)->router, before);

  listener_.policies[0].status_code = 404;
  Apply();
  EXPECT_NE(generation_->listeners.at(listener_.id)->router, before);
}

TEST_F(ExchangePolicyTest, RefusesToPrepareARegexThatDoesNotCompile) {
  AddFixed(200, "").rules = {{.type = contract::RuleType::kPath,
                              .compare = contract::RuleCompare::kRegex,
                              .values = {"/a("}}};
  auto snapshot = std::make_shared<ConfigSnapshot>();
  snapshot->listeners[listener_.id] = std::make_shared<ListenerConfig>(listener_);

  const auto compiled = Compile(snapshot, nullptr, context_);

  ASSERT_FALSE(compiled.has_value());
  EXPECT_EQ(compiled.error().path, "rule.value");
}

}  // namespace
}  // namespace elb::proxy
