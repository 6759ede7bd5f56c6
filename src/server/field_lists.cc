#include "server/field_lists.h"

#include <cstddef>
#include <utility>
#include <vector>

namespace elb::server {
namespace {

thread_local std::vector<http::FieldList> free_field_lists;
constexpr std::size_t kFreeFieldListsMax = 64;

}  // namespace

http::FieldList TakeFieldList() {
  if (free_field_lists.empty()) {
    http::FieldList list;
    list.reserve(32);
    return list;
  }
  http::FieldList list = std::move(free_field_lists.back());
  free_field_lists.pop_back();
  return list;
}

void GiveFieldList(http::FieldList list) {
  if (free_field_lists.size() < kFreeFieldListsMax) {
    list.clear();
    free_field_lists.push_back(std::move(list));
  }
}

}  // namespace elb::server
