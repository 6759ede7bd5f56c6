#include "http/h1/scan.h"

#include <emmintrin.h>
#include <immintrin.h>

#include <array>
#include <bit>
#include <cstdint>

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

bool IsValueByte(unsigned char byte) { return (byte >= 0x20 && byte != 0x7f) || byte == '\t'; }

bool IsTargetByte(unsigned char byte) { return byte > 0x20 && byte != 0x7f && byte != '#'; }

template <typename Valid>
std::size_t ScalarLength(std::string_view text, std::size_t from, Valid valid) {
  while (from < text.size() && valid(static_cast<unsigned char>(text[from]))) {
    ++from;
  }
  return from;
}

/// Bits of bytes that end a run: below `lowest` (unsigned), DEL, and `stop`; HTAB never ends one
/// when `lowest` is a space.
template <bool kTabIsFine>
unsigned EndMask128(__m128i bytes, __m128i lowest, __m128i stop) {
  const __m128i low =
      _mm_andnot_si128(_mm_cmpeq_epi8(_mm_max_epu8(bytes, lowest), bytes), _mm_set1_epi8(-1));
  const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
  __m128i bad = _mm_or_si128(low, _mm_or_si128(del, _mm_cmpeq_epi8(bytes, stop)));
  if constexpr (kTabIsFine) {
    bad = _mm_andnot_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t')), bad);
  }
  return static_cast<unsigned>(_mm_movemask_epi8(bad));
}

template <bool kTabIsFine>
std::size_t Sse2Length(std::string_view text, std::size_t from, char lowest, char stop) {
  const __m128i low = _mm_set1_epi8(lowest);
  const __m128i stops = _mm_set1_epi8(stop);
  while (from + 16 <= text.size()) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + from));
    const unsigned mask = EndMask128<kTabIsFine>(bytes, low, stops);
    if (mask != 0) {
      return from + static_cast<std::size_t>(std::countr_zero(mask));
    }
    from += 16;
  }
  return from;
}

template <bool kTabIsFine>
__attribute__((target("avx2"))) std::size_t Avx2Length(std::string_view text, char lowest,
                                                       char stop) {
  const __m256i low = _mm256_set1_epi8(lowest);
  const __m256i stops = _mm256_set1_epi8(stop);
  const __m256i del = _mm256_set1_epi8(0x7f);
  const __m256i tab = _mm256_set1_epi8('\t');
  std::size_t from = 0;
  while (from + 32 <= text.size()) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text.data() + from));
    __m256i good = _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, low), bytes);
    good = _mm256_andnot_si256(
        _mm256_or_si256(_mm256_cmpeq_epi8(bytes, del), _mm256_cmpeq_epi8(bytes, stops)), good);
    if constexpr (kTabIsFine) {
      good = _mm256_or_si256(good, _mm256_cmpeq_epi8(bytes, tab));
    }
    const unsigned mask = ~static_cast<unsigned>(_mm256_movemask_epi8(good));
    if (mask != 0) {
      return from + static_cast<std::size_t>(std::countr_zero(mask));
    }
    from += 32;
  }
  return from;
}

const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;

/// Vectors over the long part, then one byte at a time. A vector run may stop early at an end it
/// has found; going on byte by byte from there ends at the same place.
template <bool kTabIsFine, typename Valid>
std::size_t RunLength(std::string_view text, char lowest, char stop, Valid valid) {
  std::size_t length = 0;
  if (kHasAvx2 && text.size() >= 32) {
    length = Avx2Length<kTabIsFine>(text, lowest, stop);
  }
  length = Sse2Length<kTabIsFine>(text, length, lowest, stop);
  return ScalarLength(text, length, valid);
}

}  // namespace

bool IsTokenChar(char letter) { return kToken[static_cast<unsigned char>(letter)]; }

std::size_t TokenLength(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && IsTokenChar(text[length])) {
    ++length;
  }
  return length;
}

std::size_t FieldValueLength(std::string_view text) {
  return RunLength<true>(text, ' ', '\x7f', IsValueByte);
}

std::size_t TargetLength(std::string_view text) {
  return RunLength<false>(text, '!', '#', IsTargetByte);
}

}  // namespace elb::http::h1
