#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>

#include "http/h1/body.h"

namespace elb::http::h1 {

/// What `ExtractContent` made of one batch of received bytes.
struct Extracted {
  std::string_view content;  ///< All content of the batch, moved together at its front.
  std::size_t consumed = 0;  ///< Bytes used up; fewer than given only at the end of the body.
  bool complete = false;     ///< The body ended within the batch.
  bool refused = false;      ///< Bad framing: `decoder.refusal()` says which.
};

/// Takes all content out of `batch` in place, so that a batch of many chunks goes on as one piece.
/// Copies nothing when the body has no chunk framing.
[[nodiscard]] inline Extracted ExtractContent(BodyDecoder& decoder, std::span<char> batch) {
  Extracted result;
  std::size_t content = 0;
  while (true) {
    const BodyPiece piece =
        decoder.Next({batch.data() + result.consumed, batch.size() - result.consumed});
    if (piece.kind == BodyPiece::Kind::kData && !piece.data.empty() &&
        piece.data.data() != batch.data() + content) {
      std::memmove(batch.data() + content, piece.data.data(), piece.data.size());
    }
    content += piece.data.size();
    result.consumed += piece.consumed;
    if (piece.kind == BodyPiece::Kind::kData) {
      continue;
    }
    result.refused = piece.kind == BodyPiece::Kind::kRefused;
    result.complete = piece.kind == BodyPiece::Kind::kEnd;
    result.content = {batch.data(), content};
    return result;
  }
}

}  // namespace elb::http::h1
