#include "tls/client_hello.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace elb::tls {
namespace {

using Verdict = HelloGate::Verdict;

ByteView BytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

std::string U16(std::size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string Vector8(const std::string& content) {
  return static_cast<char>(content.size()) + content;
}
std::string Vector16(const std::string& content) { return U16(content.size()) + content; }
std::string Record(const std::string& content) {
  return std::string("\x16\x03\x01", 3) + Vector16(content);
}
std::string Message(const std::string& body) {
  return std::string("\x01", 1) + static_cast<char>(body.size() >> 16) + U16(body.size()) + body;
}

std::string List16(const std::vector<std::uint16_t>& numbers) {
  std::string list;
  for (const std::uint16_t number : numbers) {
    list += U16(number);
  }
  return Vector16(list);
}

struct Extension {
  std::uint16_t type;
  std::string content;
};

std::string Hello(const std::vector<std::uint16_t>& ciphers,
                  const std::vector<Extension>& extensions) {
  std::string list;
  for (const Extension& extension : extensions) {
    list += U16(extension.type) + Vector16(extension.content);
  }
  return Message(std::string("\x03\x03", 2) + std::string(32, 'r') + Vector8(std::string(32, 's')) +
                 List16(ciphers) + Vector8(std::string(1, '\0')) + Vector16(list));
}

std::string ServerName(const std::string& name) {
  return Vector16(std::string(1, '\0') + Vector16(name));
}

/// Chrome's, as in the description of JA4.
std::string ChromeHello() {
  return Hello({0x3a3a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
                0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035},
               {{0x7a7a, ""},
                {0x001b, std::string("\x02\x00\x02", 3)},
                {0x0000, ServerName("example.com")},
                {0x0033, ""},
                {0x0010, Vector16(Vector8("h2") + Vector8("http/1.1"))},
                {0x4469, ""},
                {0x0017, ""},
                {0x002d, ""},
                {0x000d, List16({0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601})},
                {0x0005, ""},
                {0x0023, ""},
                {0x0012, ""},
                {0x002b, Vector8(U16(0x9a9a) + U16(0x0304) + U16(0x0303))},
                {0xff01, std::string(1, '\0')},
                {0x000b, Vector8(std::string(1, '\0'))},
                {0x000a, List16({0x8a8a, 0x001d, 0x0017, 0x0018})},
                {0x0015, ""},
                {0x2a2a, std::string(1, '\0')}});
}

TEST(HelloGateTest, WaitsForTheWholeMessage) {
  const std::string hello = ChromeHello();
  const std::string bytes = Record(hello);
  HelloGate gate;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_EQ(gate.Inspect(BytesOf(std::string_view(bytes).substr(0, size))), Verdict::kMore);
  }

  EXPECT_EQ(gate.Inspect(BytesOf(bytes)), Verdict::kComplete);
  EXPECT_EQ(gate.Message(BytesOf(bytes)), hello);
}

TEST(HelloGateTest, JoinsRecordsOfAnySize) {
  const std::string hello = ChromeHello();
  for (const std::size_t step : {1U, 3U, 100U}) {
    std::string bytes;
    for (std::size_t at = 0; at < hello.size(); at += step) {
      bytes += Record(hello.substr(at, step));
    }
    HelloGate gate;

    EXPECT_EQ(gate.Inspect(BytesOf(bytes)), Verdict::kComplete) << step;
    EXPECT_EQ(gate.Message(BytesOf(bytes)), hello) << step;
  }
}

TEST(HelloGateTest, KnowsPlainHttp) {
  for (const std::string_view text :
       {"G", "GET / HTTP/1.1\r\n", "POST /", "PRI * HTTP/2.0", "M-SEARCH *"}) {
    EXPECT_EQ(HelloGate().Inspect(BytesOf(text)), Verdict::kPlainHttp) << text;
  }
  EXPECT_EQ(HelloGate().Inspect(BytesOf("get / HTTP/1.1")), Verdict::kGarbage);
  EXPECT_EQ(HelloGate().Inspect(BytesOf("SSH-2.0-x")), Verdict::kGarbage);
}

TEST(HelloGateTest, RefusesWhatCannotComeFirst) {
  const auto verdict = [](std::string_view bytes) { return HelloGate().Inspect(BytesOf(bytes)); };

  EXPECT_EQ(verdict({"\x14\x03\x01\x00\x01\x01", 6}), Verdict::kUnexpected);
  EXPECT_EQ(verdict({"\x17\x03\x03\x00\x01x", 6}), Verdict::kUnexpected);
  EXPECT_EQ(verdict({"\x15\x03\x01\x00\x02\x02\x28", 7}), Verdict::kGarbage);
  EXPECT_EQ(verdict({"\x80\x2e\x01\x03\x01", 5}), Verdict::kVersion);
  EXPECT_EQ(verdict({"\x16\x02\x00\x00\x10", 5}), Verdict::kVersion);
  EXPECT_EQ(verdict({"\x16\x03\x01\x00\x00", 5}), Verdict::kUnexpected);
  EXPECT_EQ(verdict({"\x16\x03\x01\x00\x01\x02", 6}), Verdict::kUnexpected);
  EXPECT_EQ(verdict({"\x00", 1}), Verdict::kGarbage);
}

TEST(HelloGateTest, RefusesMoreThanSixteenKib) {
  const auto verdict = [](const std::string& bytes) { return HelloGate().Inspect(BytesOf(bytes)); };
  const auto split = [](const std::string& message) {
    return Record(message.substr(0, 16384)) + Record(message.substr(16384));
  };

  EXPECT_EQ(verdict(Record(Message(std::string(16380, 'x')))), Verdict::kComplete);
  EXPECT_EQ(verdict(split(Message(std::string(16381, 'x')))), Verdict::kTooLarge);
  EXPECT_EQ(verdict({"\x16\x03\x01\x40\x01", 5}), Verdict::kTooLarge);
}

TEST(ClientHelloTest, FindsTheServerName) {
  const std::string message = Hello({1}, {{0, ServerName("example.com")}});
  const auto hello = ParseClientHello(BytesOf(message));

  ASSERT_TRUE(hello.has_value());
  EXPECT_EQ(ServerNameOf(*hello), "example.com");
}

TEST(ClientHelloTest, TakesNoNameFromAMalformedExtension) {
  const std::string entry = std::string(1, '\0') + Vector16("a.com");
  for (const std::string& content :
       {std::string(), Vector16(entry + entry), Vector16(entry) + "x", std::string("\xff\xff", 2),
        Vector16("\x01" + Vector16("a.com"))}) {
    const std::string message = Hello({1}, {{0, content}});
    const auto hello = ParseClientHello(BytesOf(message));

    ASSERT_TRUE(hello.has_value());
    EXPECT_EQ(ServerNameOf(*hello), "");
  }
}

TEST(ClientHelloTest, SurvivesCutsAndChangesAnywhere) {
  const std::string message = ChromeHello();
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_FALSE(ParseClientHello(BytesOf(std::string_view(message).substr(0, size)))) << size;
  }
  for (std::size_t at = 0; at < message.size(); ++at) {
    for (const int change : {0x01, 0x80, 0xff}) {
      std::string changed = message;
      changed[at] = static_cast<char>(changed[at] ^ change);
      if (const auto hello = ParseClientHello(BytesOf(changed))) {
        EXPECT_EQ(Ja4(*hello).size(), 36U);
        EXPECT_EQ(Ja3(*hello).size(), 32U);
        EXPECT_LE(ServerNameOf(*hello).size(), changed.size());
      }
    }
  }
}

TEST(FingerprintTest, MakesTheJa4OfItsDescription) {
  const std::string message = ChromeHello();

  EXPECT_EQ(Ja4(*ParseClientHello(BytesOf(message))), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

TEST(FingerprintTest, MakesTheJa4OfAnEmptyHello) {
  const std::string message = Hello({}, {});

  EXPECT_EQ(Ja4(*ParseClientHello(BytesOf(message))), "t12i000000_000000000000_000000000000");
}

TEST(FingerprintTest, MakesJa3) {
  // MD5 of "771,4865-49195-47,0-10-11-13,29-23,0".
  const std::string message =
      Hello({0x0a0a, 0x1301, 0xc02b, 0x002f}, {{0x1a1a, ""},
                                               {0, ServerName("a.com")},
                                               {10, List16({0x2a2a, 29, 23})},
                                               {11, Vector8(std::string(1, '\0'))},
                                               {13, List16({0x0403})}});

  EXPECT_EQ(Ja3(*ParseClientHello(BytesOf(message))), "c6809304a3f24acbb2c018a02b9c4d51");
}

TEST(FingerprintTest, NamesSuites) {
  const std::string message = Hello({0x8a8a, 0x1301, 0xc02b, 0x0005, 0x002f, 0x00ff, 0xfefe}, {});

  EXPECT_EQ(CipherNames(*ParseClientHello(BytesOf(message))),
            "TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:0x0005:AES128-SHA:"
            "TLS_EMPTY_RENEGOTIATION_INFO_SCSV:0xFEFE");
}

TEST(FingerprintTest, KnowsGrease) {
  EXPECT_TRUE(IsGrease(0x0a0a));
  EXPECT_TRUE(IsGrease(0xfafa));
  EXPECT_FALSE(IsGrease(0x0a1a));
  EXPECT_FALSE(IsGrease(0x1301));
}

}  // namespace
}  // namespace elb::tls
