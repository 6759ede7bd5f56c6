#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "crypto/encoding.h"

namespace elb::crypto {
namespace {

TEST(Sha256Test, MatchesTheExamplesOfTheStandard) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(HmacSha256Test, MatchesTheVectorsOfRfc4231) {
  EXPECT_EQ(HexEncode(AsText(HmacSha256(std::string(20, '\x0b'), "Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(HexEncode(AsText(HmacSha256("Jefe", "what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HexEncode(AsText(HmacSha256(std::string(131, '\xaa'),
                                        "Test Using Larger Than Block-Size Key - Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256Test, TakesAnEmptyKeyAndMessage) {
  EXPECT_EQ(HexEncode(AsText(HmacSha256("", ""))),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(ConstantTimeEqualTest, ComparesLengthAndContent) {
  EXPECT_TRUE(ConstantTimeEqual("", ""));
  EXPECT_TRUE(ConstantTimeEqual("secret", "secret"));
  EXPECT_FALSE(ConstantTimeEqual("secret", "secreT"));
  EXPECT_FALSE(ConstantTimeEqual("secret", "secrets"));
}

// The first entries of `vectors_sip64` of the reference implementation and the one of the paper's
// appendix A: message 00 01 02 ... of the given length under the key 00 01 ... 0f.
struct SipVector {
  std::size_t length;
  std::uint64_t hash;
};
constexpr std::array<SipVector, 11> kSipVectors{{{0, 0x726fdb47dd0e0e31},
                                                 {1, 0x74f839c593dc67fd},
                                                 {2, 0x0d6c8009d9a94f5a},
                                                 {3, 0x85676696d7fb7e2d},
                                                 {4, 0xcf2794e0277187b7},
                                                 {5, 0x18765564cd99a68d},
                                                 {6, 0xcbc9466e58fee3ce},
                                                 {7, 0xab0200f58b01d137},
                                                 {8, 0x93f5f5799a932462},
                                                 {15, 0xa129ca6149be45e5},
                                                 {63, 0x958a324ceb064572}}};

TEST(SipHash24Test, MatchesTheReferenceVectors) {
  std::array<std::byte, 64> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(i);
  }
  const SipKey key = SipKey::FromBytes(std::span(bytes).first<16>());

  for (const SipVector& vector : kSipVectors) {
    EXPECT_EQ(SipHash24(key, std::span(bytes).first(vector.length)), vector.hash)
        << vector.length << " bytes";
  }
}

TEST(SipHash24Test, DependsOnBothHalvesOfTheKey) {
  const std::uint64_t hash = SipHash24({.first = 1, .second = 2}, AsBytes("192.0.2.1"));

  EXPECT_NE(SipHash24({.first = 3, .second = 2}, AsBytes("192.0.2.1")), hash);
  EXPECT_NE(SipHash24({.first = 1, .second = 3}, AsBytes("192.0.2.1")), hash);
}

}  // namespace
}  // namespace elb::crypto
