#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "crypto/sealing.h"
#include "store/document.h"

namespace elb::store::sqlite {

/// The secrets of the document as one value for its row: each sealed for its project, kind, id and
/// field, so that a value copied elsewhere cannot be opened. Empty when there are none.
[[nodiscard]] Result<std::string> SealSecrets(const crypto::Sealer& sealer, Key key,
                                              const Secrets& secrets);
/// The inverse. kStorage: damaged, belongs elsewhere or sealed under another key.
[[nodiscard]] Result<Secrets> UnsealSecrets(const crypto::Sealer& sealer, Key key,
                                            std::string_view stored);

}  // namespace elb::store::sqlite
