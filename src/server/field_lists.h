#pragma once

#include "http/message.h"

namespace elb::server {

/// An empty list from this thread's free ones, which keep their capacity between requests.
[[nodiscard]] http::FieldList TakeFieldList();
/// Gives a list back, or destroys it when there are enough.
void GiveFieldList(http::FieldList list);

}  // namespace elb::server
