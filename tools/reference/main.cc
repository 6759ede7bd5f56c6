// Writes what is generated from the field tables: `elb_reference ROOT`, ROOT being the repository.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "model/reference.h"

namespace {

bool WriteFile(const std::filesystem::path& path, const std::string& text) {
  std::error_code failed;
  std::filesystem::create_directories(path.parent_path(), failed);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) {
    std::fprintf(stderr, "elb_reference: cannot write %s\n", path.c_str());
  }
  return static_cast<bool>(file);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: elb_reference ROOT\n", stderr);
    return 2;
  }
  const std::filesystem::path root = arguments[1];
  const bool written =
      WriteFile(root / "api/openapi.json", elb::model::OpenApiText()) &&
      WriteFile(root / "docs/reference/fields.md", elb::model::FieldReferenceText());
  return written ? 0 : 1;
}
