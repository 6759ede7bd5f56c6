#include "crypto/encoding.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <utility>

namespace elb::crypto {
namespace {

using Vector = std::pair<std::string, std::string>;

// RFC 4648 section 10.
const std::array<Vector, 7> kBase64Vectors{{{"", ""},
                                            {"f", "Zg=="},
                                            {"fo", "Zm8="},
                                            {"foo", "Zm9v"},
                                            {"foob", "Zm9vYg=="},
                                            {"fooba", "Zm9vYmE="},
                                            {"foobar", "Zm9vYmFy"}}};

TEST(HexTest, EncodesInLowerCase) { EXPECT_EQ(HexEncode({"\x00\x0f\xf0\xab", 4}), "000ff0ab"); }

TEST(HexTest, DecodesBothCases) {
  EXPECT_EQ(HexDecode("000FF0ab"), std::string("\x00\x0f\xf0\xab", 4));
  EXPECT_EQ(HexDecode(""), "");
}

TEST(HexTest, RefusesOtherText) {
  EXPECT_EQ(HexDecode("abc"), std::nullopt);
  EXPECT_EQ(HexDecode("0g"), std::nullopt);
  EXPECT_EQ(HexDecode("g0"), std::nullopt);
  EXPECT_EQ(HexDecode("0x"), std::nullopt);
  EXPECT_EQ(HexDecode("@A"), std::nullopt);
}

TEST(Base64Test, MatchesTheVectorsOfTheRfc) {
  for (const auto& [bytes, text] : kBase64Vectors) {
    EXPECT_EQ(Base64Encode(bytes), text);
    EXPECT_EQ(Base64Decode(text), bytes);
  }
}

TEST(Base64Test, RefusesWhatIsNotCanonical) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm9v\n", "Zm-v",
                           "Z g==", "=Zg=", "Zg==Zg=="}) {
    EXPECT_EQ(Base64Decode(text), std::nullopt) << text;
  }
}

TEST(Base64UrlTest, UsesTheUrlAlphabetWithoutPadding) {
  EXPECT_EQ(Base64UrlEncode({"\xfb\xff\xfe", 3}), "-__-");
  EXPECT_EQ(Base64UrlEncode("f"), "Zg");
  EXPECT_EQ(Base64UrlDecode("-__-"), "\xfb\xff\xfe");
  EXPECT_EQ(Base64UrlDecode("Zm9vYg"), "foob");
}

TEST(Base64UrlTest, RefusesWhatIsNotCanonical) {
  for (const char* text : {"Z", "Zg==", "Zh", "+/+/", "Zm9vYmE="}) {
    EXPECT_EQ(Base64UrlDecode(text), std::nullopt) << text;
  }
}

TEST(Base64UrlTest, BringsEveryByteBack) {
  std::string bytes;
  for (int value = 0; value < 256; ++value) {
    bytes.push_back(static_cast<char>(value));
    EXPECT_EQ(Base64UrlDecode(Base64UrlEncode(bytes)), bytes);
    EXPECT_EQ(Base64Decode(Base64Encode(bytes)), bytes);
    EXPECT_EQ(HexDecode(HexEncode(bytes)), bytes);
  }
}

}  // namespace
}  // namespace elb::crypto
