// Resumption (data-plane.md 2.7, T2.7) and ALPN (2.5, T2.10).

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "tls/testing/pki.h"
#include "tls/testing/policies.h"
#include "tls/testing/rig.h"

namespace elb::tls {
namespace {

using testing::ClientOptions;
using testing::Issued;
using testing::KeyKind;
using testing::Pair;
using testing::SessionPointer;

class SessionTest : public ::testing::TestWithParam<int> {
 protected:
  SessionTest() { listener_.Use(spec_); }

  ClientOptions Options(SSL_SESSION* session = nullptr) const {
    return {.version_min = GetParam(), .version_max = GetParam(), .session = session};
  }

  /// A full handshake's ticket.
  SessionPointer Ticket(testing::Listener& listener, ClientOptions options) {
    Pair pair(listener, options);
    EXPECT_TRUE(pair.Establish());
    EXPECT_FALSE(pair.server->facts().resumed);
    EXPECT_EQ(pair.client.tickets(), 1);
    return pair.client.TakeSession();
  }
  SessionPointer Ticket() { return Ticket(listener_, Options()); }

  /// The key's name, with which a ticket begins.
  static std::string TicketName(const SSL_SESSION* session) {
    const unsigned char* ticket = nullptr;
    std::size_t size = 0;
    SSL_SESSION_get0_ticket(session, &ticket, &size);
    return {reinterpret_cast<const char*>(ticket), std::min<std::size_t>(size, 16)};
  }

  bool Resumes(testing::Listener& listener, SSL_SESSION* session) {
    Pair pair(listener, Options(session));
    EXPECT_TRUE(pair.Establish());
    EXPECT_EQ(pair.server->facts().resumed, pair.client.resumed());
    EXPECT_EQ(pair.server->facts().certificate_id, "default");
    return pair.client.resumed();
  }

  const Issued certificate_ = testing::Issue({.common_name = "one"});
  ServerSpec spec_ = testing::SpecWith(certificate_);
  testing::Listener listener_;
};
INSTANTIATE_TEST_SUITE_P(Versions, SessionTest, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) {
                           return info.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST_P(SessionTest, ResumesWithOneTicketForTwoHours) {
  const SessionPointer session = Ticket();

  EXPECT_EQ(SSL_SESSION_get_ticket_lifetime_hint(session.get()), 7200U);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(session.get()), 0U);
  EXPECT_TRUE(Resumes(listener_, session.get()));
}

TEST_P(SessionTest, ResumesAcrossEqualContexts) {
  const SessionPointer session = Ticket();

  listener_.Use(spec_);

  EXPECT_TRUE(Resumes(listener_, session.get()));
}

TEST_P(SessionTest, ResumesWhatAResumedSessionBroughtAsWell) {
  const SessionPointer first = Ticket();
  Pair again(listener_, Options(first.get()));
  ASSERT_TRUE(again.Establish());
  const SessionPointer second = again.client.TakeSession();

  EXPECT_EQ(second != nullptr, GetParam() == TLS1_3_VERSION);  // RFC 8446: tickets are used once.
  EXPECT_TRUE(Resumes(listener_, second ? second.get() : first.get()));
}

TEST_P(SessionTest, MakesAFullHandshakeInAnotherGeneration) {
  const SessionPointer session = Ticket();

  spec_.resumption_context = "listener#2";
  listener_.Use(spec_);

  EXPECT_FALSE(Resumes(listener_, session.get()));
}

TEST_P(SessionTest, MakesAFullHandshakeWhenTheTicketIsGarbage) {
  const SessionPointer session = Ticket();
  testing::Listener other;  // Has other keys.
  other.Use(spec_);

  EXPECT_FALSE(Resumes(other, session.get()));
}

TEST_P(SessionTest, ResumesOnAnotherNodeWithTheSameKeys) {
  const SessionPointer session = Ticket();
  testing::Listener other;
  other.keys.Restore(listener_.keys.Keys());
  other.Use(spec_);

  EXPECT_TRUE(Resumes(other, session.get()));
}

TEST_P(SessionTest, OpensTicketsOfTheTwoKeysBefore) {
  const SessionPointer session = Ticket();
  for (int rotations = 1; rotations <= 2; ++rotations) {
    listener_.clock.Advance(std::chrono::hours(12));
    ASSERT_TRUE(listener_.keys.RotateIfDue());
    EXPECT_TRUE(Resumes(listener_, session.get())) << rotations;
  }
  listener_.clock.Advance(std::chrono::hours(12));
  ASSERT_TRUE(listener_.keys.RotateIfDue());

  EXPECT_FALSE(Resumes(listener_, session.get()));
}

TEST_P(SessionTest, RenewsATicketOfAnOlderKey) {
  const SessionPointer session = Ticket();
  listener_.clock.Advance(std::chrono::hours(12));
  ASSERT_TRUE(listener_.keys.RotateIfDue());

  Pair pair(listener_, Options(session.get()));
  ASSERT_TRUE(pair.Establish());

  EXPECT_TRUE(pair.client.resumed());
  const SessionPointer newer = GetParam() == TLS1_3_VERSION
                                   ? pair.client.TakeSession()
                                   : SessionPointer(SSL_get1_session(pair.client.ssl()));
  ASSERT_NE(newer, nullptr);
  EXPECT_NE(TicketName(newer.get()), TicketName(session.get()));
}

TEST_P(SessionTest, RefusesClientsWithoutCertificateOnceOneIsNeeded) {
  const SessionPointer session = Ticket();
  const Issued ca = testing::Issue({.common_name = "ca", .key_number = 1, .ca = true});
  spec_.client_ca = testing::ParseChain({&ca});
  spec_.resumption_context = "listener#2";
  listener_.Use(spec_);

  Pair pair(listener_, Options(session.get()));

  EXPECT_FALSE(pair.Establish());
  EXPECT_EQ(pair.client.alert(), GetParam() == TLS1_2_VERSION ? 40 : 116);
}

TEST_P(SessionTest, KeepsTheClientsCertificateAcrossResumption) {
  const Issued ca = testing::Issue({.common_name = "ca", .key_number = 1, .ca = true});
  const Issued client = testing::Issue({.common_name = "client", .key_number = 2, .issuer = &ca});
  spec_.client_ca = testing::ParseChain({&ca});
  listener_.Use(spec_);
  ClientOptions options = Options();
  options.certificate = &client;
  const SessionPointer session = Ticket(listener_, options);

  Pair pair(listener_, Options(session.get()));
  ASSERT_TRUE(pair.Establish());

  EXPECT_TRUE(pair.client.resumed());
  EXPECT_TRUE(pair.server->facts().has_client_certificate);
  EXPECT_EQ(pair.server->client_certificate().subject, "CN=client,O=ELB");
}

TEST_P(SessionTest, NamesTheCertificateOfTheFullHandshakeWhenResumed) {
  spec_.policy = testing::SystemPolicy("tls-1-2-fs-with-1-3");
  for (const KeyKind key : {KeyKind::kRsa, KeyKind::kP256}) {
    const std::string id = key == KeyKind::kRsa ? "rsa" : "ec";
    spec_.sni.push_back(
        {.certificate = testing::EntryOf(id, testing::Issue({.common_name = id, .key = key})),
         .names = {"a.com"}});
  }
  listener_.Use(spec_);
  for (const std::string id : {"rsa", "ec"}) {
    ClientOptions options = Options();
    options.sni = "a.com";
    options.signature_algorithms = id == "rsa" ? "RSA+SHA256:rsa_pss_rsae_sha256" : "";
    const SessionPointer session = Ticket(listener_, options);
    options.session = session.get();

    Pair pair(listener_, options);
    ASSERT_TRUE(pair.Establish());

    EXPECT_TRUE(pair.server->facts().resumed);
    EXPECT_EQ(pair.server->facts().certificate_id, id);
    EXPECT_EQ(pair.server->facts().sni, "a.com");
  }
}

class AlpnTest : public ::testing::TestWithParam<int> {
 protected:
  /// The protocol selected, or the alert.
  std::string Selected(Http2 http2, const std::vector<std::string>& offered,
                       const std::string& ciphers = "") {
    ServerSpec spec = testing::SpecWith(testing::Issue({.common_name = "a"}));
    spec.http2 = http2;
    listener_.Use(spec);
    Pair pair(listener_, {.version_min = GetParam(),
                          .version_max = GetParam(),
                          .ciphers = ciphers,
                          .alpn = offered});
    if (!pair.Establish()) {
      return "alert " + std::to_string(pair.client.alert());
    }
    switch (pair.server->facts().alpn) {
      case Alpn::kNone:
        return "none";
      case Alpn::kHttp10:
        return "http/1.0";
      case Alpn::kHttp11:
        return "http/1.1";
      case Alpn::kHttp2:
        return "h2";
    }
    return "";
  }

  testing::Listener listener_;
};
INSTANTIATE_TEST_SUITE_P(Versions, AlpnTest, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) {
                           return info.param == TLS1_2_VERSION ? "Tls12" : "Tls13";
                         });

TEST_P(AlpnTest, OffersHttp2OnlyWhereItIsOn) {
  EXPECT_EQ(Selected(Http2::kOn, {"http/1.1", "h2"}), "h2");
  EXPECT_EQ(Selected(Http2::kOff, {"h2", "http/1.1"}), "http/1.1");
}

TEST_P(AlpnTest, SelectsHttp1WithoutHttp2) {
  EXPECT_EQ(Selected(Http2::kOn, {"foo", "http/1.1"}), "http/1.1");
  EXPECT_EQ(Selected(Http2::kOn, {"http/1.0"}), "http/1.0");
  EXPECT_EQ(Selected(Http2::kOff, {"http/1.0", "http/1.1"}), "http/1.1");
  EXPECT_EQ(Selected(Http2::kOn, {}), "none");
}

TEST_P(AlpnTest, RefusesClientsWithoutACommonProtocol) {
  EXPECT_EQ(Selected(Http2::kOff, {"h2"}), "alert 120");
  EXPECT_EQ(Selected(Http2::kOff, {"foo", "h2"}), "alert 120");
  EXPECT_EQ(Selected(Http2::kOn, {"h3"}), "alert 120");
}

TEST_P(AlpnTest, NeverSelectsHttp2WithASuiteThatItForbids) {
  const std::string cbc = "ECDHE-ECDSA-AES128-SHA256";
  const bool old = GetParam() == TLS1_2_VERSION;  // TLS 1.3 ignores the list.

  EXPECT_EQ(Selected(Http2::kOn, {"h2", "http/1.1"}, cbc), old ? "http/1.1" : "h2");
  EXPECT_EQ(Selected(Http2::kOn, {"h2"}, cbc), old ? "alert 120" : "h2");
}

}  // namespace
}  // namespace elb::tls
