/// Runs every checked-in input of every fuzz target; what crashed once stays a test.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "check.h"

#define ELB_FUZZ_TARGET(name) \
  extern "C" int elb_fuzz_##name(const std::uint8_t* data, std::size_t size);
#include "targets.inc"
#undef ELB_FUZZ_TARGET

namespace elb::fuzz {
namespace {

using Target = int (*)(const std::uint8_t*, std::size_t);

std::vector<std::filesystem::path> Corpus(const std::string& name) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(ELB_FUZZ_CORPUS "/" + name)) {
    files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

void Replay(const std::string& name, Target target) {
  const auto files = Corpus(name);
  EXPECT_FALSE(files.empty());
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
    ShowOnFailure(file.string());
    EXPECT_EQ(target(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()), 0) << file;
  }
}

#define ELB_FUZZ_TARGET(name) \
  TEST(FuzzReplayTest, name) { Replay(#name, elb_fuzz_##name); }
#include "targets.inc"
#undef ELB_FUZZ_TARGET

}  // namespace
}  // namespace elb::fuzz
