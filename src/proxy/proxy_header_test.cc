#include "proxy/proxy_header.h"

#include <gtest/gtest.h>

#include <string>

namespace elb::proxy {
namespace {

using Status = ProxyHeader::Status;

/// `refused`, `more`, or the length, and the client unless the peer stays.
std::string Read(std::string_view bytes) {
  const ProxyHeader header = ParseProxyHeader(bytes);
  switch (header.status) {
    case Status::kNeedMore:
      return "more";
    case Status::kRefused:
      return "refused";
    case Status::kDone:
      break;
  }
  return std::to_string(header.bytes) + (header.client ? " " + header.client->ToString() : "");
}

/// A header of version 2 with these bytes behind its length.
std::string Version2(std::string_view command_and_family, const std::string& block) {
  std::string header("\r\n\r\n\0\r\nQUIT\n", 12);
  header += command_and_family;
  header += static_cast<char>(block.size() >> 8);
  header += static_cast<char>(block.size() & 0xFF);
  return header + block;
}

const std::string kBlock4("\xC0\x00\x02\x07\x0A\x00\x00\x01\x10\x1F\x00\x50", 12);
const std::string kBlock6 = std::string("\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x07", 16) +
                            std::string(16, '\0') + std::string("\x10\x1F\x01\xBB", 4);

TEST(ProxyHeaderTest, ReadsVersion1) {
  EXPECT_EQ(Read("PROXY TCP4 192.0.2.7 10.0.0.1 4127 80\r\nGET /"), "39 192.0.2.7:4127");
  EXPECT_EQ(Read("PROXY TCP6 2001:db8::7 ::1 4127 443\r\n"), "37 [2001:db8::7]:4127");
  EXPECT_EQ(Read("PROXY TCP6 ::ffff:192.0.2.7 ::1 4127 443\r\n"), "42 192.0.2.7:4127");
}

TEST(ProxyHeaderTest, ReadsVersion2) {
  EXPECT_EQ(Read(Version2("\x21\x11", kBlock4) + "GET /"), "28 192.0.2.7:4127");
  EXPECT_EQ(Read(Version2("\x21\x21", kBlock6)), "52 [2001:db8::7]:4127");
  EXPECT_EQ(Read(Version2("\x21\x12", kBlock4)), "28 192.0.2.7:4127");
}

TEST(ProxyHeaderTest, SkipsExtensionsBehindTheAddresses) {
  EXPECT_EQ(Read(Version2("\x21\x11", kBlock4 + std::string("\x04\x00\x02zz", 5))),
            "33 192.0.2.7:4127");
}

TEST(ProxyHeaderTest, KeepsThePeerWhenTheProxySpeaksForItself) {
  EXPECT_EQ(Read(Version2(std::string("\x20\x00", 2), "")), "16");
  EXPECT_EQ(Read(Version2("\x20\x11", kBlock4)), "28");
  EXPECT_EQ(Read(Version2("\x20\xFF", "anything")), "24");
}

TEST(ProxyHeaderTest, KeepsThePeerWhenTheProxyKnowsNoAddress) {
  EXPECT_EQ(Read("PROXY UNKNOWN\r\n"), "15");
  EXPECT_EQ(Read("PROXY UNKNOWN 192.0.2.7 or what else\r\n"), "38");
  EXPECT_EQ(Read(Version2(std::string("\x21\x00", 2), "")), "16");
  EXPECT_EQ(Read(Version2("\x21\x10", kBlock4)), "28");
  EXPECT_EQ(Read(Version2("\x21\x31", std::string(216, 'u'))), "232");
}

TEST(ProxyHeaderTest, WaitsForTheWholeHeader) {
  const std::string headers[] = {"PROXY TCP4 192.0.2.7 10.0.0.1 4127 80\r\n", "PROXY UNKNOWN\r\n",
                                 Version2("\x21\x11", kBlock4), Version2("\x21\x21", kBlock6)};
  for (const std::string& header : headers) {
    for (std::size_t size = 0; size < header.size(); ++size) {
      EXPECT_EQ(Read(header.substr(0, size)), "more") << size;
    }
  }
}

TEST(ProxyHeaderTest, RefusesWhatIsNoHeaderAtItsFirstWrongByte) {
  EXPECT_EQ(Read("G"), "refused");
  EXPECT_EQ(Read("PROXY\t"), "refused");
  EXPECT_EQ(Read("proxy TCP4"), "refused");
  EXPECT_EQ(Read("\x16\x03\x01"), "refused");
  EXPECT_EQ(Read("\r\n\r\n\r"), "refused");
}

TEST(ProxyHeaderTest, RefusesMalformedVersion1) {
  for (const char* line :
       {"PROXY \r\n", "PROXY TCP5 192.0.2.7 10.0.0.1 1 2\r\n", "PROXY UNKNOWNS\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 1\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 1 2 3\r\n",
        "PROXY TCP4  192.0.2.7 10.0.0.1 1 2\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 1 2 \r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 65536 2\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 -1 2\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 01 2\r\n", "PROXY TCP4 192.0.2.7 10.0.0.1 1 x\r\n",
        "PROXY TCP4 192.0.2.7 a.test 1 2\r\n", "PROXY TCP4 192.0.2 10.0.0.1 1 2\r\n",
        "PROXY TCP4 2001:db8::7 ::1 1 2\r\n", "PROXY TCP6 192.0.2.7 10.0.0.1 1 2\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 1 2\n\r\n"}) {
    EXPECT_EQ(Read(line), "refused") << line;
  }
}

TEST(ProxyHeaderTest, RefusesMalformedVersion2) {
  EXPECT_EQ(Read(Version2("\x11\x11", kBlock4)), "refused");
  EXPECT_EQ(Read(Version2("\x22\x11", kBlock4)), "refused");
  EXPECT_EQ(Read(Version2("\x21\x41", kBlock4)), "refused");
  EXPECT_EQ(Read(Version2("\x21\x13", kBlock4)), "refused");
  EXPECT_EQ(Read(Version2("\x21\x11", kBlock4.substr(1))), "refused");
  EXPECT_EQ(Read(Version2("\x21\x21", kBlock6.substr(1))), "refused");
}

TEST(ProxyHeaderTest, RefusesLinesOfMoreThan107Bytes) {
  const std::string line = "PROXY UNKNOWN " + std::string(91, 'x');

  EXPECT_EQ(Read(line + "\r\n"), "107");
  EXPECT_EQ(Read(line + "x\r"), "refused");
}

TEST(ProxyHeaderTest, E10_3_RefusesHeadersOfMoreThan4096BytesAtOnce) {
  const std::string largest = Version2("\x21\x11", kBlock4 + std::string(4096 - 28, '\0'));
  const std::string larger = Version2("\x21\x11", kBlock4 + std::string(4097 - 28, '\0'));

  EXPECT_EQ(Read(largest), "4096 192.0.2.7:4127");
  EXPECT_EQ(Read(larger.substr(0, 16)), "refused");
}

}  // namespace
}  // namespace elb::proxy
