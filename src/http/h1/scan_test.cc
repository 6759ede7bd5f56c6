#include "http/h1/scan.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <random>
#include <string>
#include <vector>

namespace elb::http::h1 {
namespace {

using Scan = std::size_t (*Scanner::*)(std::string_view);

std::vector<const Scanner*> Vectorised() {
  std::vector<const Scanner*> scanners;
  for (const ScanKind kind : {ScanKind::kSse2, ScanKind::kAvx2}) {
    if (const Scanner* scanner = FindScanner(kind); scanner != nullptr) {
      scanners.push_back(scanner);
    }
  }
  return scanners;
}

/// Text in its own allocation, so that a read beyond it is caught.
std::vector<char> Exact(std::string_view text) { return {text.begin(), text.end()}; }

std::size_t Run(const Scanner& scanner, Scan scan, const std::vector<char>& text) {
  return (scanner.*scan)({text.data(), text.size()});
}

void ExpectAllAgree(std::string_view text) {
  const Scanner& scalar = *FindScanner(ScanKind::kScalar);
  const std::vector<char> exact = Exact(text);
  for (const Scan scan :
       {&Scanner::token_length, &Scanner::field_value_length, &Scanner::target_length}) {
    for (const Scanner* scanner : Vectorised()) {
      ASSERT_EQ(Run(*scanner, scan, exact), Run(scalar, scan, exact))
          << ::testing::PrintToString(text);
    }
  }
}

TEST(ScanTest, AgreesOnEveryByteAtEveryPlaceOfAVector) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 0; at < 70; ++at) {
      std::string text(70, 'a');
      text[at] = static_cast<char>(byte);
      ExpectAllAgree(text);
    }
  }
}

TEST(ScanTest, AgreesOnEveryLength) {
  for (std::size_t size = 0; size < 200; ++size) {
    ExpectAllAgree(std::string(size, 'a'));
  }
}

TEST(ScanTest, AgreesOnRandomText) {
  std::mt19937 random(20240607);
  for (int round = 0; round < 3000; ++round) {
    std::string text(random() % 150, ' ');
    const bool wild = random() % 2 == 0;
    for (char& letter : text) {
      letter = static_cast<char>(wild ? random() : 'a' + random() % 26);
    }
    ExpectAllAgree(text);
  }
}

TEST(ScanTest, KnowsTheClassOfEveryByte) {
  const Scanner& scalar = *FindScanner(ScanKind::kScalar);
  const std::string token =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int value = 0; value < 256; ++value) {
    const auto letter = static_cast<char>(value);
    const std::string_view text(&letter, 1);
    const bool visible = value > 0x20 && value != 0x7f;

    EXPECT_EQ(IsTokenChar(letter), token.find(letter) != std::string::npos) << value;
    EXPECT_EQ(scalar.token_length(text) == 1, IsTokenChar(letter)) << value;
    EXPECT_EQ(scalar.target_length(text) == 1, visible && letter != '#') << value;
    EXPECT_EQ(scalar.field_value_length(text) == 1, visible || letter == ' ' || letter == '\t')
        << value;
  }
}

TEST(ScanTest, ChoosesTheWidestVectors) {
  const Scanner* avx2 = FindScanner(ScanKind::kAvx2);
  const Scanner* sse2 = FindScanner(ScanKind::kSse2);
  const Scanner* expected = avx2 != nullptr ? avx2 : sse2 != nullptr ? sse2 : &BestScanner();

  EXPECT_EQ(&BestScanner(), expected);
}

}  // namespace
}  // namespace elb::http::h1
