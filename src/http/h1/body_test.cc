#include "http/h1/body.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "http/h1/content.h"
#include "http/testing/describe.h"

namespace elb::http::h1 {
namespace {

/// What came out of a body.
struct Decoded {
  std::string content;
  std::string trailers;
  std::size_t consumed = 0;
  bool complete = false;
  Refusal refusal = Refusal::kNone;

  friend bool operator==(const Decoded&, const Decoded&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Decoded& decoded) {
    return out << decoded.content.size() << " bytes '" << decoded.content.substr(0, 40) << "' of "
               << decoded.consumed << (decoded.complete ? " complete " : " incomplete ")
               << static_cast<int>(decoded.refusal) << " " << decoded.trailers;
  }
};

/// Decodes `bytes` in the pieces that end at `cuts`, each at a place of its own.
Decoded Decode(Framing framing, std::uint64_t length, std::string_view bytes,
               std::vector<std::size_t> cuts = {}) {
  const Limits limits;
  BodyDecoder decoder(limits);
  decoder.Start(framing, length);
  Decoded decoded;
  cuts.push_back(bytes.size());
  for (const std::size_t cut : cuts) {
    const std::string piece(bytes.substr(decoded.consumed, cut - decoded.consumed));
    std::string_view rest = piece;
    while (true) {
      const BodyPiece next = decoder.Next(rest);
      decoded.content += next.data;
      decoded.consumed += next.consumed;
      rest.remove_prefix(next.consumed);
      if (next.kind == BodyPiece::Kind::kData) {
        continue;
      }
      if (next.kind != BodyPiece::Kind::kNeedMore) {
        decoded.complete = next.kind == BodyPiece::Kind::kEnd;
        decoded.refusal = decoder.refusal();
        decoded.trailers = testing::Describe(decoder.trailers());
        EXPECT_EQ(decoder.complete(), decoded.complete);
        EXPECT_EQ(decoder.content_bytes(), decoded.content.size());
        return decoded;
      }
      EXPECT_TRUE(rest.empty()) << "kNeedMore leaves nothing unread";
      break;
    }
  }
  return decoded;
}

Decoded DecodeChunked(std::string_view bytes) { return Decode(Framing::kChunked, 0, bytes); }

TEST(BodyTest, EndsAtOnceWithoutBody) {
  EXPECT_TRUE(Decode(Framing::kNone, 0, "GET").complete);
  EXPECT_EQ(Decode(Framing::kNone, 0, "GET").consumed, 0U);
  EXPECT_TRUE(Decode(Framing::kLength, 0, "GET").complete);
}

TEST(BodyTest, TakesContentOfKnownLength) {
  const Decoded decoded = Decode(Framing::kLength, 5, "helloGET");

  EXPECT_EQ(decoded.content, "hello");
  EXPECT_EQ(decoded.consumed, 5U);
  EXPECT_TRUE(decoded.complete);
}

TEST(BodyTest, KnowsWhatRemains) {
  const Limits limits;
  BodyDecoder decoder(limits);
  decoder.Start(Framing::kLength, 5);

  EXPECT_EQ(decoder.Next("abc").data, "abc");
  EXPECT_EQ(decoder.remaining(), 2U);
  EXPECT_EQ(decoder.content_bytes(), 3U);
  EXPECT_FALSE(decoder.complete());
  EXPECT_FALSE(decoder.Finish());
}

TEST(BodyTest, TakesEverythingUntilTheEnd) {
  const Limits limits;
  BodyDecoder decoder(limits);
  decoder.Start(Framing::kUntilEnd, 0);

  EXPECT_EQ(decoder.Next("abc").data, "abc");
  EXPECT_EQ(decoder.Next("").kind, BodyPiece::Kind::kNeedMore);
  EXPECT_FALSE(decoder.complete());
  EXPECT_TRUE(decoder.Finish());
  EXPECT_TRUE(decoder.complete());
}

TEST(BodyTest, NeverCompletesACutChunkedBody) {
  const Limits limits;
  BodyDecoder decoder(limits);
  decoder.Start(Framing::kChunked, 0);

  EXPECT_EQ(decoder.Next("3\r\nabc\r\n").data, "abc");
  EXPECT_FALSE(decoder.Finish());
}

TEST(BodyTest, GivesContentWithoutCopyingIt) {
  const Limits limits;
  BodyDecoder decoder(limits);
  decoder.Start(Framing::kChunked, 0);
  const std::string_view input = "5\r\nhello\r\n";

  const BodyPiece piece = decoder.Next(input);

  EXPECT_EQ(piece.data.data(), input.data() + 3);
  EXPECT_EQ(piece.consumed, 8U);
}

TEST(BodyTest, DecodesChunks) {
  const Decoded decoded = DecodeChunked("3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\nGET");

  EXPECT_EQ(decoded.content, "abc0123456789");
  EXPECT_EQ(decoded.consumed, 33U);
  EXPECT_TRUE(decoded.complete);
}

TEST(BodyTest, KeepsTrailers) {
  const Decoded decoded = DecodeChunked("1\r\na\r\n0;e\r\nX-T: y \r\ngrpc-status: 0\r\n\r\nGET");

  EXPECT_TRUE(decoded.complete);
  EXPECT_EQ(decoded.trailers, "[X-T|y|0][grpc-status|0|0]");
  EXPECT_EQ(decoded.consumed, 38U);
}

TEST(BodyTest, DropsFieldsThatBelongToTheHead) {
  for (const char* name : {"Host",
                           "Content-Length",
                           "transfer-encoding",
                           "Connection",
                           "Cookie",
                           "Set-Cookie",
                           "Authorization",
                           "TE",
                           "Trailer",
                           "Expect",
                           "X-Forwarded-For",
                           "X-Real-IP",
                           "X-Forwarded-Clientcert-subjectdn",
                           "X_Forwarded_For",
                           "Content_Length",
                           "Range",
                           "if-match",
                           "Proxy-Authorization",
                           "Content-Type",
                           "Vary"}) {
    const Decoded decoded =
        DecodeChunked("0\r\nA: 1\r\n" + std::string(name) + ": 1\r\nB: 2\r\n\r\n");
    EXPECT_TRUE(decoded.complete);
    EXPECT_EQ(decoded.trailers, "[A|1|0][B|2|0]") << name;
  }
}

TEST(BodyTest, StartsAnewForTheNextMessage) {
  const Limits limits;
  BodyDecoder decoder(limits);
  decoder.Start(Framing::kChunked, 0);
  EXPECT_EQ(decoder.Next("0\r\nX: y\r\n\r\n").kind, BodyPiece::Kind::kEnd);
  decoder.Start(Framing::kChunked, 0);

  EXPECT_EQ(decoder.Next("1\r\na\r\n").data, "a");
  EXPECT_TRUE(decoder.trailers().empty());
  EXPECT_EQ(decoder.content_bytes(), 1U);
}

TEST(BodyTest, StaysRefused) {
  const Limits limits;
  BodyDecoder decoder(limits);
  decoder.Start(Framing::kChunked, 0);

  EXPECT_EQ(decoder.Next("x").kind, BodyPiece::Kind::kRefused);
  EXPECT_EQ(decoder.Next("0\r\n\r\n").kind, BodyPiece::Kind::kRefused);
  EXPECT_FALSE(decoder.Finish());
}

struct Row {
  const char* name;
  std::string bytes;
  bool accepted = false;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class ChunkRowTest : public ::testing::TestWithParam<Row> {};

TEST_P(ChunkRowTest, IsJudgedAsTheContractSays) {
  const Decoded decoded = DecodeChunked(GetParam().bytes);

  EXPECT_EQ(decoded.complete, GetParam().accepted);
  EXPECT_EQ(decoded.refusal, GetParam().accepted ? Refusal::kNone : Refusal::kBadFraming);
}

TEST_P(ChunkRowTest, IsJudgedTheSameByteByByte) {
  std::vector<std::size_t> cuts;
  for (std::size_t cut = 1; cut < GetParam().bytes.size(); ++cut) {
    cuts.push_back(cut);
  }

  const Decoded decoded = Decode(Framing::kChunked, 0, GetParam().bytes, cuts);

  EXPECT_EQ(decoded.complete, GetParam().accepted);
  EXPECT_EQ(decoded.refusal, GetParam().accepted ? Refusal::kNone : Refusal::kBadFraming);
}

std::string Extensions(std::size_t bytes) {
  return "1;" + std::string(bytes - 1, 'x') + "\r\na\r\n0\r\n\r\n";
}
std::string ManyExtensions(std::size_t bytes_of_last) {
  std::string body;
  for (int i = 0; i < 15; ++i) {
    body += "1;" + std::string(1023, 'x') + "\r\na\r\n";
  }
  return body + "1;" + std::string(bytes_of_last - 1, 'x') + "\r\na\r\n0\r\n\r\n";
}
/// A trailer section of `size` bytes, its empty line included.
std::string Trailers(std::size_t size) {
  return "0\r\nX: " + std::string(size - 7, 'y') + "\r\n\r\n";
}
std::string TrailerFields(int count) {
  std::string body = "0\r\n";
  for (int i = 0; i < count; ++i) {
    body += "X: y\r\n";
  }
  return body + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    Chunk, ChunkRowTest,
    ::testing::Values(Row{"AcceptsEmptyBody", "0\r\n\r\n", true},
                      Row{"AcceptsSizeOf16Digits", "0000000000000003\r\nabc\r\n0\r\n\r\n", true},
                      Row{"AcceptsManyZerosAtTheEnd", "0000000000000000\r\n\r\n", true},
                      Row{"AcceptsBothCasesOfDigits",
                          "a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n\r\n", true},
                      Row{"AcceptsExtensions", "3;a;b=c;d=\"e f\"\r\nabc\r\n0;g\r\n\r\n", true},
                      Row{"AcceptsExtensionsOf16KiB", Extensions(16'384), true},
                      Row{"AcceptsExtensionsOf16KiBInAll", ManyExtensions(1024), true},
                      Row{"AcceptsTrailersOf16KiB", Trailers(16'384), true},
                      Row{"Accepts256TrailerFields", TrailerFields(256), true},
                      Row{"RefusesSizeOf17Digits", "00000000000000003\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesSizeOver2To63", "8000000000000000\r\n"},
                      Row{"RefusesSizeThatIsNoNumber", "g\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesEmptySize", "\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesPrefix0x", "0x3\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesMinus", "-3\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesPlus", "+3\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesSpaceBeforeSize", " 3\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesSpaceBehindSize", "3 \r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesSpaceInsideSize", "3 3\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesSpaceBeforeExtension", "3 ;a\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesExtensionWithoutSize", ";a\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesSizeThatEndsInLf", "3\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesSizeThatEndsInCr", "3\rabc\r\n0\r\n\r\n"},
                      Row{"RefusesLfInExtension", "3;x\n\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesCrInExtension", "3;x\ry\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesControlInExtension", "3;x\x01\r\nabc\r\n0\r\n\r\n"},
                      Row{"RefusesDataThatIsTooLong", "3\r\nabcd\r\n0\r\n\r\n"},
                      Row{"RefusesDataThatEndsInLf", "3\r\nabc\n0\r\n\r\n"},
                      Row{"RefusesDataThatEndsInCr", "3\r\nabc\r0\r\n\r\n"},
                      Row{"RefusesDataWithoutEnd", "3\r\nabc0\r\n\r\n"},
                      Row{"RefusesExtensionsOver16KiB", Extensions(16'385)},
                      Row{"RefusesExtensionsOver16KiBInAll", ManyExtensions(1025)},
                      Row{"RefusesTrailersOver16KiB", Trailers(16'385)},
                      Row{"Refuses257TrailerFields", TrailerFields(257)},
                      Row{"RefusesTrailerWithSpaceBeforeColon", "0\r\nX : y\r\n\r\n"},
                      Row{"RefusesTrailerWithBareLf", "0\r\nX: y\n\r\n"},
                      Row{"RefusesFoldedTrailer", "0\r\nX: y\r\n z\r\n\r\n"},
                      Row{"RefusesTrailerWithNul", std::string("0\r\nX: \0\r\n\r\n", 11)},
                      Row{"RefusesBareLfAsEnd", "0\r\n\n"}),
    [](const auto& info) { return info.param.name; });

TEST(BodySplitTest, GivesTheSameResultForEveryTwoCuts) {
  const std::string body =
      "3;x=y\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX-T: y\r\nHost: z\r\nB:\r\n\r\nGET / HTTP/1.1";
  const Decoded whole = DecodeChunked(body);
  EXPECT_TRUE(whole.complete);
  for (std::size_t first = 0; first <= whole.consumed; ++first) {
    for (std::size_t second = first; second <= whole.consumed; ++second) {
      ASSERT_EQ(Decode(Framing::kChunked, 0, body, {first, second}), whole)
          << first << " " << second;
    }
  }
}

TEST(ExtractContentTest, MovesTheContentOfManyChunksTogether) {
  const Limits limits;
  BodyDecoder decoder(limits);
  decoder.Start(Framing::kChunked, 0);
  std::string batch = "3\r\nabc\r\n2;x\r\nde\r\n1\r\nf\r\n0\r\n\r\nGET";

  const Extracted extracted = ExtractContent(decoder, batch);

  EXPECT_EQ(extracted.content, "abcdef");
  EXPECT_EQ(extracted.consumed, batch.size() - 3);
  EXPECT_TRUE(extracted.complete);
  EXPECT_FALSE(extracted.refused);
}

TEST(ExtractContentTest, GivesWhatCameBeforeARefusal) {
  const Limits limits;
  BodyDecoder decoder(limits);
  decoder.Start(Framing::kChunked, 0);
  std::string batch = "3\r\nabc\r\nx";

  const Extracted extracted = ExtractContent(decoder, batch);

  EXPECT_EQ(extracted.content, "abc");
  EXPECT_TRUE(extracted.refused);
  EXPECT_FALSE(extracted.complete);
}

}  // namespace
}  // namespace elb::http::h1
