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

std::string Ok(const std::string& fields) { return "HTTP/1.1 200 OK\r\n" + fields + "\r\n\r\n"; }

/// A head of exactly `size` bytes.
std::string HeadOf(std::size_t size) {
  const std::string start = "HTTP/1.1 200 OK\r\nX: ";
  return start + std::string(size - start.size() - 4, 'y') + "\r\n\r\n";
}

struct Row {
  const char* name;
  std::string bytes;
  Refusal refusal = Refusal::kMalformed;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class ResponseRowTest : public ::testing::TestWithParam<Row> {
 protected:
  const Limits limits_;
  ResponseParser parser_{limits_};
  ResponseHead head_;
};

TEST_P(ResponseRowTest, IsJudgedAsTheContractSays) {
  const Row& row = GetParam();

  const ParseStatus status = parser_.Parse(row.bytes, Method::kGet, head_);

  EXPECT_EQ(status, row.refusal == Refusal::kNone ? ParseStatus::kDone : ParseStatus::kRefused);
  EXPECT_EQ(parser_.refusal(), row.refusal);
}

TEST_P(ResponseRowTest, IsJudgedTheSameInSmallPieces) {
  const Row& row = GetParam();
  const std::size_t step = 1 + row.bytes.size() / 1000;

  ParseStatus status = ParseStatus::kNeedMore;
  for (std::size_t size = 1; status == ParseStatus::kNeedMore && size < row.bytes.size() + step;
       size += step) {
    ResponseHead head;
    const std::string received = row.bytes.substr(0, size);
    status = parser_.Parse(received, Method::kGet, head);
  }

  EXPECT_EQ(status, row.refusal == Refusal::kNone ? ParseStatus::kDone : ParseStatus::kRefused);
  EXPECT_EQ(parser_.refusal(), row.refusal);
}

constexpr Refusal kBad = Refusal::kBadFraming;

INSTANTIATE_TEST_SUITE_P(
    Response, ResponseRowTest,
    ::testing::Values(
        Row{"AcceptsHttp11", Ok("X: y"), Refusal::kNone},
        Row{"AcceptsHttp10", "HTTP/1.0 200 OK\r\n\r\n", Refusal::kNone},
        Row{"AcceptsMissingReason", "HTTP/1.1 200\r\n\r\n", Refusal::kNone},
        Row{"AcceptsEmptyReason", "HTTP/1.1 200 \r\n\r\n", Refusal::kNone},
        Row{"AcceptsLongReasonWithHighBytes", "HTTP/1.1 404 N\xc3\xb6\t so  what\r\n\r\n",
            Refusal::kNone},
        Row{"AcceptsStatus100", "HTTP/1.1 100 Continue\r\n\r\n", Refusal::kNone},
        Row{"AcceptsStatus999", "HTTP/1.1 999 x\r\n\r\n", Refusal::kNone},
        Row{"RefusesStatus099", "HTTP/1.1 099 x\r\n\r\n"},
        Row{"RefusesStatus1000", "HTTP/1.1 1000 x\r\n\r\n"},
        Row{"RefusesStatusOfTwoDigits", "HTTP/1.1 20 x\r\n\r\n"},
        Row{"RefusesStatusOfLetters", "HTTP/1.1 2xx x\r\n\r\n"},
        Row{"RefusesTabBehindStatus", "HTTP/1.1 200\tOK\r\n\r\n"},
        Row{"RefusesTwoSpacesBeforeStatus", "HTTP/1.1  200 OK\r\n\r\n"},
        Row{"RefusesHttp2", "HTTP/2.0 200 OK\r\n\r\n"},
        Row{"RefusesVersionWithoutMinor", "HTTP/1 200 OK\r\n\r\n"},
        Row{"RefusesLowerCaseProtocol", "http/1.1 200 OK\r\n\r\n"},
        Row{"RefusesOtherProtocol", "ICY 200 OK\r\n\r\n"}, Row{"RefusesJunk", "\x16\x03\x01\x02"},
        Row{"RefusesEmptyLineBefore", "\r\nHTTP/1.1 200 OK\r\n\r\n"},
        Row{"RefusesControlInReason", "HTTP/1.1 200 O\x01K\r\n\r\n"},
        Row{"RefusesBareLfAfterStatusLine", "HTTP/1.1 200 OK\nX: y\r\n\r\n"},
        Row{"RefusesBareLfAfterStatus", "HTTP/1.1 200\n\r\n"},
        Row{"RefusesBareLfAfterField", "HTTP/1.1 200 OK\r\nX: y\n\r\n"},
        Row{"RefusesBareCrInValue", Ok("X: a\rb")}, Row{"RefusesObsFold", Ok("X: a\r\n b")},
        Row{"RefusesSpaceBeforeColon", Ok("X : y")}, Row{"RefusesMissingColon", Ok("XY")},
        Row{"RefusesEmptyName", Ok(": y")}, Row{"RefusesNulInValue", Ok(std::string("X: a\0b", 6))},
        Row{"AcceptsEqualLengths", Ok("Content-Length: 3\r\nContent-Length: 3"), Refusal::kNone},
        Row{"RefusesDifferentLengths", Ok("Content-Length: 3\r\nContent-Length: 4"), kBad},
        Row{"RefusesListOfLengths", Ok("Content-Length: 3, 3"), kBad},
        Row{"RefusesLengthThatIsNoNumber", Ok("Content-Length: 3x"), kBad},
        Row{"RefusesNegativeLength", Ok("Content-Length: -3"), kBad},
        Row{"RefusesEmptyLength", Ok("Content-Length:"), kBad},
        Row{"Refuses2To63", Ok("Content-Length: 9223372036854775808"), kBad},
        Row{"RefusesLengthWithCoding", Ok("Content-Length: 3\r\nTransfer-Encoding: chunked"), kBad},
        Row{"RefusesCodingWithLength", Ok("Transfer-Encoding: chunked\r\nContent-Length: 3"), kBad},
        Row{"AcceptsChunked", Ok("Transfer-Encoding: Chunked"), Refusal::kNone},
        Row{"RefusesOtherCoding", Ok("Transfer-Encoding: gzip"), kBad},
        Row{"RefusesOtherCodingThenChunked", Ok("Transfer-Encoding: gzip, chunked"), kBad},
        Row{"RefusesIdentity", Ok("Transfer-Encoding: identity"), kBad},
        Row{"RefusesChunkedTwice", Ok("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            kBad},
        Row{"RefusesCodingInHttp10", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", kBad},
        Row{"RefusesBadFramingOf304", "HTTP/1.1 304 x\r\nContent-Length: x\r\n\r\n", kBad},
        Row{"AcceptsHeadOf65536Bytes", HeadOf(65'536), Refusal::kNone},
        Row{"RefusesHeadOf65537Bytes", HeadOf(65'537), Refusal::kHeaderTooLarge}),
    [](const auto& info) { return info.param.name; });

class ResponseHeadTest : public ::testing::Test {
 protected:
  const ResponseHead& Parse(std::string bytes, Method request = Method::kGet) {
    bytes_ = std::move(bytes);
    parser_.Reset();
    EXPECT_EQ(parser_.Parse(bytes_, request, head_), ParseStatus::kDone) << bytes_;
    return head_;
  }

  const Limits limits_;
  ResponseParser parser_{limits_};
  ResponseHead head_;
  std::string bytes_;
};

TEST_F(ResponseHeadTest, ReadsStatusLineAndFields) {
  const ResponseHead& head =
      Parse("HTTP/1.0 404 Not Found\r\nserver:  x \r\nA: b\r\nContent-Length: 5\r\n\r\nhello");

  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "Not Found");
  EXPECT_EQ(head.version, Version::kHttp10);
  EXPECT_EQ(testing::Describe(head.fields), "[server|x|17][A|b|0][Content-Length|5|2]");
  EXPECT_EQ(head.content_length, 5U);
  EXPECT_EQ(head.head_bytes, 64U);
  EXPECT_EQ(parser_.consumed(), 64U);
}

TEST_F(ResponseHeadTest, ChoosesFraming) {
  EXPECT_EQ(Parse(Ok("Content-Length: 0")).framing, Framing::kLength);
  EXPECT_EQ(Parse(Ok("Transfer-Encoding: chunked")).framing, Framing::kChunked);
  EXPECT_EQ(Parse(Ok("X: y")).framing, Framing::kUntilEnd);
}

TEST_F(ResponseHeadTest, HasNoBodyWhereHttpHasNone) {
  EXPECT_EQ(Parse(Ok("Content-Length: 5"), Method::kHead).framing, Framing::kNone);
  EXPECT_EQ(head_.content_length, 5U);
  EXPECT_EQ(Parse(Ok("Transfer-Encoding: chunked"), Method::kHead).framing, Framing::kNone);
  EXPECT_EQ(Parse(Ok("X: y"), Method::kHead).framing, Framing::kNone);
  EXPECT_TRUE(head_.keep_alive);
  for (const char* status : {"100", "101", "103", "199", "204", "304"}) {
    EXPECT_EQ(Parse("HTTP/1.1 " + std::string(status) + " x\r\nContent-Length: 5\r\n\r\n").framing,
              Framing::kNone)
        << status;
    EXPECT_TRUE(head_.keep_alive) << status;
  }
}

TEST_F(ResponseHeadTest, KeepsTheConnectionOnlyBehindADelimitedAnswer) {
  EXPECT_TRUE(Parse(Ok("Content-Length: 5")).keep_alive);
  EXPECT_FALSE(Parse(Ok("Content-Length: 5\r\nConnection: close")).keep_alive);
  EXPECT_FALSE(Parse(Ok("Connection: keep-alive")).keep_alive);
  EXPECT_FALSE(Parse("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n").keep_alive);
  EXPECT_TRUE(
      Parse("HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

TEST_F(ResponseHeadTest, RefusesAsEarlyAsItIsCertain) {
  for (const std::string bytes : {"I", "HTTP/2", "HTTP/1.1 0", "HTTP/1.1 20x", "HTTP/1.1 2000",
                                  "HTTP/1.1 200 a\n", "HTTP/1.1 200 OK\r\n "}) {
    ResponseParser parser(limits_);
    EXPECT_EQ(parser.Parse(bytes, Method::kGet, head_), ParseStatus::kRefused) << bytes;
  }
  ResponseParser parser(limits_);
  EXPECT_EQ(parser.Parse("HTTP/1.1 200 " + std::string(65'536 - 13, 'x'), Method::kGet, head_),
            ParseStatus::kRefused);
  EXPECT_EQ(parser.refusal(), Refusal::kHeaderTooLarge);
}

std::string ParseInPieces(std::string_view bytes, std::vector<std::size_t> cuts) {
  const Limits limits;
  ResponseParser parser(limits);
  cuts.push_back(bytes.size());
  for (const std::size_t cut : cuts) {
    const std::string received(bytes.substr(0, cut));
    ResponseHead head;
    const ParseStatus status = parser.Parse(received, Method::kGet, head);
    if (status != ParseStatus::kNeedMore || cut == bytes.size()) {
      return testing::DescribeEnd(status, parser, head);
    }
  }
  return {};
}

TEST(ResponseSplitTest, GivesTheSameResultForEveryTwoCuts) {
  const std::string responses[] = {
      "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\nSet-Cookie: a=b; Path=/\r\n\r\nhello",
      "HTTP/1.0 999\r\nConnection: keep-alive\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n",
  };
  for (const std::string& response : responses) {
    const std::string whole = ParseInPieces(response, {});
    EXPECT_TRUE(whole.starts_with("done") || whole.starts_with("refused"));
    for (std::size_t first = 0; first <= response.size(); ++first) {
      for (std::size_t second = first; second <= response.size(); ++second) {
        ASSERT_EQ(ParseInPieces(response, {first, second}), whole) << first << " " << second;
      }
    }
  }
}

}  // namespace
}  // namespace elb::http::h1
