#include "crypto/pem.h"

#include <gtest/gtest.h>

#include <string>

namespace elb::crypto {
namespace {

TEST(PemTest, ReadsBlocksAndSkipsTextAround) {
  const auto blocks = ReadPem(
      "subject=CN = a\n\n-----BEGIN A-----\nZm9v\n-----END A-----\nbetween\n"
      "-----BEGIN B C-----\nZg==\n-----END B C-----");

  ASSERT_TRUE(blocks);
  ASSERT_EQ(blocks->size(), 2);
  EXPECT_EQ((*blocks)[0].label, "A");
  EXPECT_EQ((*blocks)[0].bytes, "foo");
  EXPECT_EQ((*blocks)[1].label, "B C");
  EXPECT_EQ((*blocks)[1].bytes, "f");
}

TEST(PemTest, TakesAnyWhiteSpaceInTheBody) {
  for (const char* text : {"-----BEGIN A-----\r\nZm\r\n9v\r\n-----END A-----\r\n",
                           "-----BEGIN A-----\rZm9v\r-----END A-----",
                           "  -----BEGIN A-----  \n\n Zm 9v\t\n\n  -----END A-----  \n",
                           "-----BEGIN A-----Zm9v-----END A-----"}) {
    const auto blocks = ReadPem(text);
    ASSERT_TRUE(blocks) << text;
    ASSERT_EQ(blocks->size(), 1) << text;
    EXPECT_EQ(blocks->front().bytes, "foo") << text;
  }
}

TEST(PemTest, FindsNothingInOtherText) {
  for (const char* text : {"", " \n", "hello", "-----BEGIN", "-----END A-----", "Zm9v"}) {
    const auto blocks = ReadPem(text);
    ASSERT_TRUE(blocks) << text;
    EXPECT_TRUE(blocks->empty()) << text;
  }
}

TEST(PemTest, RefusesBrokenBlocks) {
  for (const char* text :
       {"-----BEGIN ", "-----BEGIN A", "-----BEGIN A-----", "-----BEGIN A-----\nZm9v",
        "-----BEGIN A-----\nZm9v\n-----END B-----", "-----BEGIN A-----\nZm9v\n-----END A----",
        "-----BEGIN A-----\nZm9v\n-----BEGIN A-----\nZm9v\n-----END A-----",
        "-----BEGIN A-----\n-----END A-----", "-----BEGIN A-----\nZm9\n-----END A-----",
        "-----BEGIN A-----\nZm!v\n-----END A-----",
        "-----BEGIN A\nB-----\nZm9v\n-----END A\nB-----"}) {
    EXPECT_FALSE(ReadPem(text)) << text;
  }
}

TEST(PemTest, KnowsTraditionalEncryption) {
  const auto blocks = ReadPem(
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n"
      "Zm9v\n-----END RSA PRIVATE KEY-----\n");

  ASSERT_TRUE(blocks);
  EXPECT_TRUE(blocks->front().encrypted);
  EXPECT_EQ(blocks->front().bytes, "");
}

TEST(PemTest, WritesLinesOf64Characters) {
  EXPECT_EQ(WritePem("A", std::string(50, '\0')),
            "-----BEGIN A-----\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
            "AAA=\n-----END A-----\n");
}

TEST(PemTest, CountsCodePoints) {
  EXPECT_EQ(CodePoints(""), 0);
  EXPECT_EQ(CodePoints("Zoë"), 3);
}

}  // namespace
}  // namespace elb::crypto
