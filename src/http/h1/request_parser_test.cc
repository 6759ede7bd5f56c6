#include <gtest/gtest.h>

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "http/h1/parser.h"
#include "http/testing/describe.h"

namespace elb::http::h1 {
namespace {

using namespace std::string_literals;

const std::string kHost = "Host: a.test\r\n";
const std::string kEnd = "\r\n";

std::string Line(const std::string& line) { return line + "\r\n" + kHost + kEnd; }
std::string WithField(const std::string& field) {
  return "GET / HTTP/1.1\r\n" + kHost + field + "\r\n" + kEnd;
}
std::string WithHost(const std::string& host) {
  return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n";
}
std::string Fields(std::size_t count) {
  std::string text = "GET / HTTP/1.1\r\n" + kHost;
  for (std::size_t i = 1; i < count; ++i) {
    text += "X: y\r\n";
  }
  return text + kEnd;
}
/// A head of exactly `size` bytes.
std::string HeadOf(std::size_t size) {
  const std::string start = "GET / HTTP/1.1\r\n" + kHost + "X: ";
  return start + std::string(size - start.size() - 4, 'y') + "\r\n\r\n";
}
std::string TargetOf(std::size_t size) {
  return Line("GET /" + std::string(size - 1, 't') + " HTTP/1.1");
}

/// One request and how it is judged; kNone: accepted.
struct Row {
  const char* name;
  std::string bytes;
  Refusal refusal = Refusal::kMalformed;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::string NameOf(const ::testing::TestParamInfo<Row>& info) { return info.param.name; }

class RequestRowTest : public ::testing::TestWithParam<Row> {
 protected:
  const Limits limits_;
  RequestParser parser_{limits_};
  RequestHead head_;
};

TEST_P(RequestRowTest, IsJudgedAsTheContractSays) {
  const Row& row = GetParam();

  const ParseStatus status = parser_.Parse(row.bytes, head_);

  EXPECT_EQ(status, row.refusal == Refusal::kNone ? ParseStatus::kDone : ParseStatus::kRefused);
  EXPECT_EQ(parser_.refusal(), row.refusal);
}

TEST_P(RequestRowTest, IsJudgedTheSameWhateverComesBehind) {
  const Row& row = GetParam();

  const std::string more = row.bytes + "GET /smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n";
  const ParseStatus status = parser_.Parse(more, head_);

  EXPECT_EQ(status, row.refusal == Refusal::kNone ? ParseStatus::kDone : ParseStatus::kRefused);
  EXPECT_EQ(parser_.refusal(), row.refusal);
  EXPECT_EQ(parser_.consumed(), row.refusal == Refusal::kNone ? row.bytes.size() : 0U);
}

TEST_P(RequestRowTest, IsJudgedTheSameInSmallPieces) {
  const Row& row = GetParam();
  const std::size_t step = 1 + row.bytes.size() / 1000;

  ParseStatus status = ParseStatus::kNeedMore;
  for (std::size_t size = 1; status == ParseStatus::kNeedMore && size < row.bytes.size() + step;
       size += step) {
    const std::string received = row.bytes.substr(0, size);  // A new place each time.
    status = parser_.Parse(received, head_);
  }

  EXPECT_EQ(status, row.refusal == Refusal::kNone ? ParseStatus::kDone : ParseStatus::kRefused);
  EXPECT_EQ(parser_.refusal(), row.refusal);
}

INSTANTIATE_TEST_SUITE_P(
    RequestLine, RequestRowTest,
    ::testing::Values(
        Row{"AcceptsHttp11", Line("GET / HTTP/1.1"), Refusal::kNone},
        Row{"AcceptsHttp10", Line("GET / HTTP/1.0"), Refusal::kNone},
        Row{"AcceptsHttp17", Line("GET / HTTP/1.7"), Refusal::kNone},
        Row{"AcceptsHttp10WithoutHost", "GET / HTTP/1.0\r\n\r\n", Refusal::kNone},
        Row{"RefusesMajorVersion2", Line("GET / HTTP/2.0"), Refusal::kUnsupportedVersion},
        Row{"RefusesMajorVersion3", Line("GET / HTTP/3.0"), Refusal::kUnsupportedVersion},
        Row{"RefusesMajorVersion0", Line("GET / HTTP/0.9"), Refusal::kUnsupportedVersion},
        Row{"RefusesTheHttp2Preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            Refusal::kUnsupportedVersion},
        Row{"RefusesHttp09", "GET /\r\n\r\n"},
        Row{"RefusesVersionInLowerCase", Line("GET / http/1.1")},
        Row{"RefusesVersionWithoutMinor", Line("GET / HTTP/1")},
        Row{"RefusesVersionWithTwoDigits", Line("GET / HTTP/1.10")},
        Row{"RefusesVersionWithGarbage", Line("GET / HTTP/1.1x")},
        Row{"RefusesOtherProtocol", Line("GET / HTTQ/1.1")},
        Row{"RefusesConnect", Line("CONNECT a.test:443 HTTP/1.1"), Refusal::kMethodNotAllowed},
        Row{"AcceptsTrace", Line("TRACE / HTTP/1.1"), Refusal::kNone},
        Row{"AcceptsMethodInLowerCase", Line("get / HTTP/1.1"), Refusal::kNone},
        Row{"AcceptsMethodOfOddTokenCharacters", Line("!#$%&'*+-.^_`|~9 / HTTP/1.1"),
            Refusal::kNone},
        Row{"AcceptsMethodOf32Bytes", Line(std::string(32, 'M') + " / HTTP/1.1"), Refusal::kNone},
        Row{"RefusesMethodOf33Bytes", Line(std::string(33, 'M') + " / HTTP/1.1")},
        Row{"RefusesMethodThatIsNoToken", Line("GE@T / HTTP/1.1")},
        Row{"RefusesMissingMethod", Line(" / HTTP/1.1")},
        Row{"AcceptsOneEmptyLineBefore", "\r\n" + Line("GET / HTTP/1.1"), Refusal::kNone},
        Row{"AcceptsTwoEmptyLinesBefore", "\r\n\r\n" + Line("GET / HTTP/1.1"), Refusal::kNone},
        Row{"RefusesThreeEmptyLinesBefore", "\r\n\r\n\r\n" + Line("GET / HTTP/1.1")},
        Row{"RefusesBareLfBefore", "\n" + Line("GET / HTTP/1.1")},
        Row{"RefusesBareCrBefore", "\rGET / HTTP/1.1\r\n\r\n"},
        Row{"RefusesTwoSpacesBeforeTarget", Line("GET  / HTTP/1.1")},
        Row{"RefusesTwoSpacesBeforeVersion", Line("GET /  HTTP/1.1")},
        Row{"RefusesSpaceAfterVersion", Line("GET / HTTP/1.1 ")},
        Row{"RefusesTabForSpace", Line("GET\t/ HTTP/1.1")},
        Row{"RefusesMissingSpace", Line("GET/ HTTP/1.1")},
        Row{"RefusesBareLfAfterRequestLine", "GET / HTTP/1.1\n" + kHost + kEnd},
        Row{"RefusesBareCrInRequestLine", Line("GET /\r HTTP/1.1")},
        Row{"RefusesBareCrAfterRequestLine", "GET / HTTP/1.1\r" + kHost + kEnd}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Target, RequestRowTest,
    ::testing::Values(
        Row{"RefusesPercent00InPath", Line("GET /a%00b HTTP/1.1")},
        Row{"AcceptsPercent00InQuery", Line("GET /a?b=%00 HTTP/1.1"), Refusal::kNone},
        Row{"RefusesPercent00InPathOfAbsoluteForm", Line("GET http://a.test/a%00 HTTP/1.1")},
        Row{"AcceptsPercentWithoutDigits", Line("GET /%zz% HTTP/1.1"), Refusal::kNone},
        Row{"RefusesAuthorityForm", Line("GET a.test:80 HTTP/1.1")},
        Row{"RefusesRelativeTarget", Line("GET a/b HTTP/1.1")},
        Row{"RefusesAsteriskWithGet", Line("GET * HTTP/1.1")},
        Row{"RefusesAsteriskWithMore", Line("OPTIONS *a HTTP/1.1")},
        Row{"AcceptsOptionsAsterisk", Line("OPTIONS * HTTP/1.1"), Refusal::kNone},
        Row{"AcceptsAbsoluteFormHttp", Line("GET http://a.test/ HTTP/1.1"), Refusal::kNone},
        Row{"AcceptsAbsoluteFormHttps", Line("GET HTTPS://a.test:8/b HTTP/1.1"), Refusal::kNone},
        Row{"RefusesAbsoluteFormOfOtherScheme", Line("GET ftp://a.test/ HTTP/1.1")},
        Row{"RefusesAbsoluteFormWithOneSlash", Line("GET http:/a.test/ HTTP/1.1")},
        Row{"RefusesUserinfo", Line("GET http://u:p@a.test/ HTTP/1.1")},
        Row{"RefusesUserinfoWithoutPassword", Line("GET http://u@a.test/ HTTP/1.1")},
        Row{"RefusesEmptyHostOfAbsoluteForm", Line("GET http:///a HTTP/1.1")},
        Row{"RefusesPortWithoutHostInAbsoluteForm", Line("GET http://:80/a HTTP/1.1")},
        Row{"RefusesSchemeAlone", Line("GET http:// HTTP/1.1")},
        Row{"RefusesAbsoluteFormWithBadPort", Line("GET http://a.test:65536/ HTTP/1.1")},
        Row{"RefusesAbsoluteFormWithoutHostField", "GET http://a.test/ HTTP/1.1\r\n\r\n"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    FieldLine, RequestRowTest,
    ::testing::Values(
        Row{"RefusesBareLfAfterField", "GET / HTTP/1.1\r\n" + kHost + "X: y\n" + kEnd},
        Row{"RefusesBareLfAsEnd", "GET / HTTP/1.1\r\n" + kHost + "\n"},
        Row{"RefusesBareCrAsEnd", "GET / HTTP/1.1\r\n" + kHost + "\rX"},
        Row{"RefusesBareCrInValue", WithField("X: a\rb")},
        Row{"RefusesCrCrLf", WithField("X: a\r")}, Row{"RefusesObsFold", WithField("X: a\r\n b")},
        Row{"RefusesObsFoldWithTab", WithField("X: a\r\n\tb")},
        Row{"RefusesFoldBeforeFirstField", "GET / HTTP/1.1\r\n X: y\r\n" + kHost + kEnd},
        Row{"RefusesSpaceBeforeColon", WithField("X : y")},
        Row{"RefusesTabBeforeColon", WithField("X\t: y")},
        Row{"RefusesEmptyName", WithField(": y")}, Row{"RefusesNameWithSpace", WithField("X Y: z")},
        Row{"RefusesNameThatIsNoToken", WithField("X(Y): z")},
        Row{"RefusesNameWithHighByte", WithField("X\xff: z")},
        Row{"RefusesMissingColon", WithField("XY")},
        Row{"AcceptsTabInValue", WithField("X: a\tb"), Refusal::kNone},
        Row{"AcceptsHighBytesInValue", WithField("X: \x80\xff"), Refusal::kNone},
        Row{"AcceptsEmptyValue", WithField("X:"), Refusal::kNone},
        Row{"AcceptsNameWithUnderscore", WithField("X_Y: z"), Refusal::kNone}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Host, RequestRowTest,
    ::testing::Values(
        Row{"RefusesMissing", "GET / HTTP/1.1\r\nX: y\r\n\r\n"},
        Row{"RefusesTwoEqual", "GET / HTTP/1.1\r\n" + kHost + kHost + kEnd},
        Row{"RefusesTwoDifferent", "GET / HTTP/1.1\r\n" + kHost + "HOST: b.test\r\n\r\n"},
        Row{"RefusesTwoInHttp10", "GET / HTTP/1.0\r\n" + kHost + kHost + kEnd},
        Row{"RefusesEmpty", WithHost("")},
        Row{"RefusesEmptyInHttp10", "GET / HTTP/1.0\r\nHost:\r\n\r\n"},
        Row{"RefusesSpace", WithHost("a b")}, Row{"RefusesSlash", WithHost("a/b")},
        Row{"RefusesAt", WithHost("u@a")}, Row{"RefusesComma", WithHost("a,b")},
        Row{"RefusesQuestionMark", WithHost("a?b")}, Row{"RefusesHash", WithHost("a#b")},
        Row{"RefusesBackslash", WithHost("a\\b")}, Row{"RefusesHighByte", WithHost("a\xe9")},
        Row{"RefusesHalfAnEscape", WithHost("a%2")},
        Row{"RefusesEscapeOfNoDigits", WithHost("a%zz")},
        Row{"AcceptsEscape", WithHost("a%41"), Refusal::kNone},
        Row{"RefusesPortThatIsNoNumber", WithHost("a:x")},
        Row{"RefusesNegativePort", WithHost("a:-1")}, Row{"RefusesPort65536", WithHost("a:65536")},
        Row{"RefusesHugePort", WithHost("a:99999999999999999999")},
        Row{"RefusesTwoPorts", WithHost("a:1:2")}, Row{"RefusesPortAlone", WithHost(":80")},
        Row{"AcceptsPort0", WithHost("a:0"), Refusal::kNone},
        Row{"AcceptsPort65535", WithHost("a:65535"), Refusal::kNone},
        Row{"AcceptsEmptyPort", WithHost("a:"), Refusal::kNone},
        Row{"AcceptsTrailingDot", WithHost("a.test."), Refusal::kNone},
        Row{"AcceptsUnderscore", WithHost("a_b.test"), Refusal::kNone},
        Row{"AcceptsIpv4", WithHost("192.0.2.1:80"), Refusal::kNone},
        Row{"AcceptsIpv6", WithHost("[2001:db8::1]"), Refusal::kNone},
        Row{"AcceptsIpv6WithPort", WithHost("[::ffff:192.0.2.1]:80"), Refusal::kNone},
        Row{"RefusesIpv6WithoutBrackets", WithHost("2001:db8::1")},
        Row{"RefusesIpv6WithoutEnd", WithHost("[::1")},
        Row{"RefusesIpv6WithZone", WithHost("[fe80::1%25eth0]")},
        Row{"RefusesIpv4InBrackets", WithHost("[192.0.2.1]")},
        Row{"RefusesGarbageBehindIpv6", WithHost("[::1]a")},
        Row{"RefusesEmptyBrackets", WithHost("[]")}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Size, RequestRowTest,
    ::testing::Values(
        Row{"AcceptsHeadOf65536Bytes", HeadOf(65'536), Refusal::kNone},
        Row{"RefusesHeadOf65537Bytes", HeadOf(65'537), Refusal::kHeaderTooLarge},
        Row{"AcceptsHeadOf65536BytesBehindEmptyLines", "\r\n\r\n" + HeadOf(65'536), Refusal::kNone},
        Row{"RefusesHeadOf65537BytesBehindEmptyLines", "\r\n\r\n" + HeadOf(65'537),
            Refusal::kHeaderTooLarge},
        Row{"AcceptsTargetOf16384Bytes", TargetOf(16'384), Refusal::kNone},
        Row{"RefusesTargetOf16385Bytes", TargetOf(16'385), Refusal::kUriTooLong},
        Row{"RefusesTargetOver64KiBAsTooLongToo", TargetOf(70'000), Refusal::kUriTooLong},
        Row{"Accepts256Fields", Fields(256), Refusal::kNone},
        Row{"Refuses257Fields", Fields(257), Refusal::kHeaderTooLarge}),
    NameOf);

std::string Post(const std::string& fields) {
  return "POST / HTTP/1.1\r\n" + kHost + fields + "\r\n\r\n";
}
std::string Coding(const std::string& value) { return Post("Transfer-Encoding: " + value); }
std::string Length(const std::string& value) { return Post("Content-Length: " + value); }

constexpr Refusal kBad = Refusal::kBadFraming;
constexpr Refusal kUnknown = Refusal::kUnsupportedTe;

INSTANTIATE_TEST_SUITE_P(
    Framing, RequestRowTest,
    ::testing::Values(
        Row{"RefusesLengthAndChunked", Post("Content-Length: 3\r\nTransfer-Encoding: chunked"),
            kBad},
        Row{"RefusesChunkedAndLength", Post("Transfer-Encoding: chunked\r\nContent-Length: 3"),
            kBad},
        Row{"RefusesIdentityAndLength", Post("Transfer-Encoding: identity\r\nContent-Length: 3"),
            kBad},
        Row{"RefusesTwoEqualLengths", Post("Content-Length: 3\r\nContent-Length: 3"), kBad},
        Row{"RefusesTwoLengths", Post("Content-Length: 3\r\ncontent-length: 4"), kBad},
        Row{"RefusesListOfLengths", Length("3, 3"), kBad},
        Row{"RefusesLengthWithPlus", Length("+3"), kBad},
        Row{"RefusesLengthWithMinus", Length("-3"), kBad},
        Row{"RefusesHexLength", Length("0x3"), kBad},
        Row{"RefusesLengthWithSpaceInside", Length("3 0"), kBad},
        Row{"RefusesEmptyLength", Length(""), kBad},
        Row{"RefusesWordForLength", Length("three"), kBad},
        Row{"RefusesFraction", Length("3.0"), kBad},
        Row{"Refuses2To63", Length("9223372036854775808"), kBad},
        Row{"RefusesHugeLength", Length(std::string(40, '9')), kBad},
        Row{"Accepts2To63Minus1", Length("9223372036854775807"), Refusal::kNone},
        Row{"AcceptsLeadingZeros", Length(std::string(40, '0') + "3"), Refusal::kNone},
        Row{"AcceptsChunked", Coding("chunked"), Refusal::kNone},
        Row{"AcceptsChunkedInCapitals", Coding("CHUNKED"), Refusal::kNone},
        Row{"AcceptsIdentity", Coding("identity"), Refusal::kNone},
        Row{"RefusesChunkedTwice", Coding("chunked, chunked"), kBad},
        Row{"RefusesChunkedNotLast", Coding("chunked, gzip"), kBad},
        Row{"RefusesChunkedBeforeIdentity", Coding("chunked, identity"), kBad},
        Row{"RefusesRepeatedField",
            Post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), kBad},
        Row{"RefusesRepeatedFieldWithIdentity",
            Post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked"), kBad},
        Row{"RefusesUnknownCoding", Coding("gzip"), kUnknown},
        Row{"RefusesUnknownCodingThenChunked", Coding("gzip, chunked"), kUnknown},
        Row{"RefusesUnknownCodingWithParameter", Coding("x;q=1, chunked"), kUnknown},
        Row{"RefusesMisspeltCoding", Coding("xchunked"), kUnknown},
        Row{"RefusesChunkedWithParameter", Coding("chunked;q=1"), kBad},
        Row{"RefusesEmptyCoding", Coding(""), kBad},
        Row{"RefusesEmptyElementBeforeChunked", Coding(",chunked"), kBad},
        Row{"RefusesEmptyElementAfterChunked", Coding("chunked,"), kBad},
        Row{"RefusesQuotedChunked", Coding("\"chunked\""), kBad},
        Row{"RefusesTwoWords", Coding("gzip chunked"), kBad},
        Row{"RefusesCodingNameWithSpace", Post("Transfer-Encoding : chunked")},
        Row{"RefusesCodingInHttp10",
            "POST / HTTP/1.0\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n", kBad},
        Row{"RefusesIdentityInHttp10",
            "POST / HTTP/1.0\r\n" + kHost + "Transfer-Encoding: identity\r\n\r\n", kBad}),
    NameOf);

Refusal RefusalOf(const std::string& bytes) {
  const Limits limits;
  RequestParser parser(limits);
  RequestHead head;
  EXPECT_NE(parser.Parse(bytes, head), ParseStatus::kNeedMore) << bytes;
  return parser.refusal();
}

TEST(RequestByteTest, RefusesControlsSpaceDeleteAndHashInTargets) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool refused = byte <= 0x20 || byte == 0x7f || byte == '#';
    EXPECT_EQ(RefusalOf(Line("GET /a"s + static_cast<char>(byte) + "b HTTP/1.1")),
              refused ? Refusal::kMalformed : Refusal::kNone)
        << byte;
  }
}

TEST(RequestByteTest, RefusesControlsButTabInValues) {
  for (int byte = 0; byte < 256; ++byte) {
    const bool refused = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    EXPECT_EQ(RefusalOf(WithField("X: a"s + static_cast<char>(byte) + "b")),
              refused ? Refusal::kMalformed : Refusal::kNone)
        << byte;
  }
}

}  // namespace
}  // namespace elb::http::h1
