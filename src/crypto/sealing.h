#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace elb::crypto {

/// 256-bit key of a `Sealer`.
using SealingKey = std::array<std::byte, 32>;

/// What `Sealer::Open` does when the key file does not exist.
enum class KeyFile : std::uint8_t { kMustExist, kCreate };

/// Encrypts secrets before they are stored: AES-256-GCM under one key, with a random 96-bit nonce
/// per value. Sealed bytes: version 1, nonce, ciphertext, 128-bit tag. Immutable and thread-safe.
/// Good for 2^32 values (NIST SP 800-38D section 8.3), which a control plane never writes.
class Sealer {
 public:
  /// Reads the node key file: exactly 32 bytes, a regular file without any right for group and
  /// others. With `kCreate` a missing one is made with random bytes, mode 0600, complete or not at
  /// all, and is on the disk when this returns. Errors (kStorage, path = file) say what to do.
  [[nodiscard]] static Result<std::unique_ptr<Sealer>> Open(const std::filesystem::path& path,
                                                            KeyFile missing);

  explicit Sealer(const SealingKey& key);
  ~Sealer();
  Sealer(const Sealer&) = delete;
  Sealer& operator=(const Sealer&) = delete;
  Sealer(Sealer&&) = delete;
  Sealer& operator=(Sealer&&) = delete;

  /// `associated_data` says where the value belongs; it is not stored, and only with the same one
  /// can the value be unsealed.
  [[nodiscard]] Result<std::string> Seal(std::string_view plaintext,
                                         std::string_view associated_data) const;
  /// kStorage when the value is damaged, belongs elsewhere, was sealed under another key or by a
  /// newer version.
  [[nodiscard]] Result<std::string> Unseal(std::string_view sealed,
                                           std::string_view associated_data) const;

  /// The same with sealed values as base64url text.
  [[nodiscard]] Result<std::string> SealText(std::string_view plaintext,
                                             std::string_view associated_data) const;
  [[nodiscard]] Result<std::string> UnsealText(std::string_view text,
                                               std::string_view associated_data) const;

 private:
  class Cipher;
  SealingKey key_;
  std::unique_ptr<const Cipher> cipher_;
};

/// Associated data from parts such as kind, id and field, without ambiguity between them.
[[nodiscard]] std::string AssociatedData(std::initializer_list<std::string_view> parts);

}  // namespace elb::crypto
