#include "tls/testing/rig.h"

#include <gtest/gtest.h>

#include <vector>

namespace elb::tls::testing {

void Listener::Use(const ServerSpec& spec) {
  auto made = ServerContext::Create(spec, keys);
  ASSERT_TRUE(made.has_value()) << made.error().path << ": " << made.error().message;
  context = *made;
}

bool Pair::Establish() {
  constexpr int kRoundsMax = 10;
  for (int i = 0; i < kRoundsMax; ++i) {
    client.Step();
    ToServer();
    outcome = server->TryEstablish();
    ToClient();
    const bool server_done = !outcome || *outcome;
    if (server_done && (client.established() || client.alert() >= 0 || !outcome)) {
      break;
    }
  }
  return outcome && *outcome;
}

std::string Pair::ReadAll(std::size_t step) {
  std::string text;
  std::vector<std::byte> buffer(step);
  while (true) {
    last_read = server->TryRead(buffer);
    if (last_read.kind != net::ReadResult::Kind::kData) {
      return text;
    }
    text.append(reinterpret_cast<const char*>(buffer.data()), last_read.bytes);
  }
}

ServerSpec SpecWith(const CertificateEntry& certificate) {
  return {.policy = {.protocols = {"TLSv1.2", "TLSv1.3"},
                     .ciphers = {"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256",
                                 "ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
                                 "ECDHE-RSA-AES128-GCM-SHA256", "AES128-GCM-SHA256",
                                 "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                 "TLS_CHACHA20_POLY1305_SHA256"}},
          .default_certificate = certificate,
          .sni = {},
          .client_ca = nullptr,
          .resumption_context = "listener#1"};
}

ServerSpec SpecWith(const Issued& certificate) { return SpecWith(EntryOf("default", certificate)); }

}  // namespace elb::tls::testing
