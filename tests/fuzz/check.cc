#include "check.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#ifdef ELB_SANITIZED
#include <sanitizer/common_interface_defs.h>
#endif

namespace elb::fuzz {
namespace {

void Print(std::string_view text) {
  static_cast<void>(std::fwrite(text.data(), 1, text.size(), stderr));
}

std::string& Running() {
  static std::string name;
  return name;
}

void PrintRunning() {
  if (!Running().empty()) {
    Print("fuzz: while replaying " + Running() + "\n");
  }
}

}  // namespace

void ShowOnFailure(std::string_view name) {
  Running() = name;
#ifdef ELB_SANITIZED
  __sanitizer_set_death_callback(PrintRunning);
#endif
}

void Require(bool holds, std::string_view what, std::string_view detail) {
  if (holds) {
    return;
  }
  Print("\nfuzz: does not hold: ");
  Print(what);
  Print("\n");
  Print(detail);
  Print("\n");
  PrintRunning();
  std::abort();
}

void RequireEqual(std::string_view one, std::string_view other, std::string_view what) {
  if (one == other) {
    return;
  }
  Print("\nfuzz: one:   ");
  Print(one);
  Print("\nfuzz: other: ");
  Print(other);
  Require(false, what);
}

}  // namespace elb::fuzz
