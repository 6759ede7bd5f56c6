#include "http/h1/scan.h"

#include <array>
#include <bit>
#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace elb::http::h1 {
namespace {

constexpr std::string_view kTokenPunctuation = "!#$%&'*+-.^_`|~";

constexpr std::array<bool, 256> MakeTokenTable() {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const bool digit = i >= '0' && i <= '9';
    const bool letter = (i >= 'A' && i <= 'Z') || (i >= 'a' && i <= 'z');
    table[i] = digit || letter || (i < 128 && kTokenPunctuation.contains(static_cast<char>(i)));
  }
  return table;
}

constexpr auto kToken = MakeTokenTable();

constexpr bool IsTokenByte(unsigned char byte) { return kToken[byte]; }
constexpr bool IsValueByte(unsigned char byte) {
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}
constexpr bool IsTargetByte(unsigned char byte) {
  return byte > 0x20 && byte != 0x7f && byte != '#';
}

template <bool (*kIsGood)(unsigned char)>
std::size_t ScalarLength(std::string_view text, std::size_t from) {
  while (from < text.size() && kIsGood(static_cast<unsigned char>(text[from]))) {
    ++from;
  }
  return from;
}

template <bool (*kIsGood)(unsigned char)>
std::size_t Scalar(std::string_view text) {
  return ScalarLength<kIsGood>(text, 0);
}

constexpr Scanner kScalarScanner{.token_length = Scalar<IsTokenByte>,
                                 .field_value_length = Scalar<IsValueByte>,
                                 .target_length = Scalar<IsTargetByte>};

#if defined(__x86_64__)

/// The bytes at `from`. An unaligned load of 16.
__m128i Load16(std::string_view text, std::size_t from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + from));
}

std::size_t FirstOf(unsigned mask) { return static_cast<std::size_t>(std::countr_zero(mask)); }

/// 0xFF where a byte is at least `lowest`, unsigned.
__m128i AtLeast(__m128i bytes, char lowest) {
  return _mm_cmpeq_epi8(_mm_max_epu8(bytes, _mm_set1_epi8(lowest)), bytes);
}

__m128i Equal(__m128i bytes, char letter) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(letter)); }

struct ValueClass {
  static constexpr bool IsGood(unsigned char byte) { return IsValueByte(byte); }
  static __m128i Good(__m128i bytes) {
    const __m128i visible = _mm_andnot_si128(Equal(bytes, 0x7f), AtLeast(bytes, ' '));
    return _mm_or_si128(visible, Equal(bytes, '\t'));
  }
  __attribute__((target("avx2"))) static __m256i Good32(__m256i bytes) {
    const __m256i high = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, _mm256_set1_epi8(' ')), bytes);
    const __m256i del = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f));
    return _mm256_or_si256(_mm256_andnot_si256(del, high),
                           _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t')));
  }
};

struct TargetClass {
  static constexpr bool IsGood(unsigned char byte) { return IsTargetByte(byte); }
  static __m128i Good(__m128i bytes) {
    const __m128i bad = _mm_or_si128(Equal(bytes, 0x7f), Equal(bytes, '#'));
    return _mm_andnot_si128(bad, AtLeast(bytes, '!'));
  }
  __attribute__((target("avx2"))) static __m256i Good32(__m256i bytes) {
    const __m256i high = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, _mm256_set1_epi8('!')), bytes);
    const __m256i bad = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f)),
                                        _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('#')));
    return _mm256_andnot_si256(bad, high);
  }
};

template <typename Class>
std::size_t Sse2Length(std::string_view text) {
  std::size_t from = 0;
  for (; from + 16 <= text.size(); from += 16) {
    const auto good = static_cast<unsigned>(_mm_movemask_epi8(Class::Good(Load16(text, from))));
    if (good != 0xffff) {
      return from + FirstOf(~good);
    }
  }
  return ScalarLength<Class::IsGood>(text, from);
}

template <typename Class>
__attribute__((target("avx2"))) std::size_t Avx2Length(std::string_view text) {
  std::size_t from = 0;
  for (; from + 32 <= text.size(); from += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text.data() + from));
    const auto good = static_cast<unsigned>(_mm256_movemask_epi8(Class::Good32(bytes)));
    if (good != 0xffffffff) {
      return from + FirstOf(~good);
    }
  }
  return from + Sse2Length<Class>(text.substr(from));
}

/// For each low nibble, the set of high nibbles (0 to 7, one bit each) that make a token character.
constexpr std::array<char, 16> MakeTokenNibbles() {
  std::array<char, 16> sets{};
  for (unsigned byte = 0; byte < 128; ++byte) {
    if (kToken[byte]) {
      auto& set = sets[byte & 15];
      set = static_cast<char>(static_cast<unsigned char>(set) | 1U << (byte >> 4));
    }
  }
  return sets;
}

constexpr std::array<char, 16> kTokenNibbles = MakeTokenNibbles();
constexpr std::array<char, 16> kNibbleBits = {1, 2, 4, 8, 16, 32, 64, static_cast<char>(128)};

/// Two table lookups by shuffle classify 16 bytes (a byte from 0x80 on finds an empty set).
__attribute__((target("avx2"))) std::size_t Avx2TokenLength(std::string_view text) {
  const __m128i sets = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kTokenNibbles.data()));
  const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kNibbleBits.data()));
  std::size_t from = 0;
  for (; from + 16 <= text.size(); from += 16) {
    const __m128i bytes = Load16(text, from);
    const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(15));
    const __m128i found =
        _mm_and_si128(_mm_shuffle_epi8(sets, bytes), _mm_shuffle_epi8(bits, high));
    const auto bad =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(found, _mm_setzero_si128())));
    if (bad != 0) {
      return from + FirstOf(bad);
    }
  }
  return ScalarLength<IsTokenByte>(text, from);
}

constexpr Scanner kSse2Scanner{.token_length = Scalar<IsTokenByte>,
                               .field_value_length = Sse2Length<ValueClass>,
                               .target_length = Sse2Length<TargetClass>};
constexpr Scanner kAvx2Scanner{.token_length = Avx2TokenLength,
                               .field_value_length = Avx2Length<ValueClass>,
                               .target_length = Avx2Length<TargetClass>};

bool HasAvx2() { return __builtin_cpu_supports("avx2") != 0; }

#endif

const Scanner& ChooseBest() {
  for (const ScanKind kind : {ScanKind::kAvx2, ScanKind::kSse2}) {
    if (const Scanner* scanner = FindScanner(kind); scanner != nullptr) {
      return *scanner;
    }
  }
  return kScalarScanner;
}

}  // namespace

const Scanner* FindScanner(ScanKind kind) {
  if (kind == ScanKind::kScalar) {
    return &kScalarScanner;
  }
#if defined(__x86_64__)
  if (kind == ScanKind::kSse2) {
    return &kSse2Scanner;
  }
  return HasAvx2() ? &kAvx2Scanner : nullptr;
#else
  return nullptr;
#endif
}

const Scanner& BestScanner() {
  static const Scanner& best = ChooseBest();
  return best;
}

bool IsTokenChar(char letter) { return IsTokenByte(static_cast<unsigned char>(letter)); }

}  // namespace elb::http::h1
