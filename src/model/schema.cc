#include "model/schema.h"

#include <algorithm>
#include <iterator>

namespace elb::model {

const FieldSpec* Schema::Find(std::string_view field) const {
  const auto found = std::ranges::find(fields_, field, &FieldSpec::name);
  return found == fields_.end() ? nullptr : &*found;
}

std::vector<FieldSpec> Concat(std::vector<std::vector<FieldSpec>> parts) {
  std::vector<FieldSpec> all;
  for (std::vector<FieldSpec>& part : parts) {
    all.insert(all.end(), std::make_move_iterator(part.begin()),
               std::make_move_iterator(part.end()));
  }
  return all;
}

bool WasGiven(const Given& given, std::string_view field) {
  return std::ranges::find(given, field) != given.end();
}

namespace {

/// Bytes of the UTF-8 sequence that starts with `lead` (RFC 3629); 0: none does.
std::size_t SequenceLength(unsigned char lead) {
  if (lead < 0x80) {
    return 1;
  }
  if ((lead & 0xe0) == 0xc0) {
    return 2;
  }
  if ((lead & 0xf0) == 0xe0) {
    return 3;
  }
  return (lead & 0xf8) == 0xf0 ? 4 : 0;
}

}  // namespace

std::int64_t CodePoints(std::string_view text) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++count) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = SequenceLength(lead);
    if (size == 0 || i + size > text.size()) {
      return -1;
    }
    for (std::size_t k = 1; k < size; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) {
        return -1;
      }
    }
    i += size;
  }
  return count;
}

}  // namespace elb::model
