/// Answers of backends: any bytes, in any pieces, after GET and after HEAD.

#include "check.h"
#include "cuts.h"
#include "h1_transcript.h"

namespace elb::fuzz {
namespace {

void CutsMakeNoDifference(std::string_view input, http::Method request,
                          const http::h1::Limits& limits) {
  const std::string whole = Transcript(ReadResponses(input, request, limits, Cuts(0, SIZE_MAX)));
  for (const std::size_t piece_max : {std::size_t{1}, std::size_t{5}, std::size_t{60}}) {
    const std::string cut =
        Transcript(ReadResponses(input, request, limits, Cuts(input.size(), piece_max)));
    RequireEqual(whole, cut, "an answer means the same however it was cut");
  }
}

}  // namespace
}  // namespace elb::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = elb::fuzz::Text(data, size);
  const elb::http::h1::Limits limits;
  // So small that inputs of a fuzzer reach them.
  const elb::http::h1::Limits tight{.target_bytes_max = 24,
                                    .head_bytes_max = 96,
                                    .fields_max = 3,
                                    .method_bytes_max = 8,
                                    .chunk_extension_bytes_max = 8,
                                    .trailer_bytes_max = 24,
                                    .request_body_bytes_max = 100};
  for (const auto request : {elb::http::Method::kGet, elb::http::Method::kHead}) {
    elb::fuzz::CutsMakeNoDifference(input, request, limits);
    elb::fuzz::CutsMakeNoDifference(input, request, tight);
  }
  return 0;
}
