#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace elb {

/// What went wrong, in words that both planes and every front end share. `rest/error_codes.cc`
/// alone turns a kind into an HTTP status and an `ELB.nnnn` code.
enum class ErrorKind : std::uint8_t {
  kInvalid,                  ///< A value breaks its rule (range, format, combination).
  kMissing,                  ///< A mandatory value is absent or null.
  kImmutable,                ///< A value that cannot be changed was changed.
  kEmptyBody,                ///< The request has no body or no envelope.
  kNotFound,                 ///< The object of the call does not exist.
  kReferenceNotFound,        ///< An object named inside the request does not exist.
  kBadCertificateReference,  ///< A certificate id that cannot be one: not 32 characters.
  kConflict,                 ///< In use, duplicate, protected.
  kPortTaken,                ///< The listener's port is used on its load balancer.
  kHasMembers,               ///< A load balancer still has members.
  kQuota,                    ///< A quota is used up.
  kRestricted,               ///< The feature exists for dedicated load balancers only.
  kUnauthenticated,
  kForbiddenProject,
  kForbiddenAction,
  kUnsupported,   ///< The deployment does not offer the feature.
  kPrecondition,  ///< `If-Match` does not hold.
  kBadOption,     ///< An option is malformed or not supported by the call.
  kUnusableCertificate,
  kUnusableCaCertificate,
  kSoldOut,
  kFlavorChange,
  kNoIpTarget,        ///< IP member while `ip_target_enable` is false.
  kIpTargetProtocol,  ///< IP member in a pool whose protocol does not allow it.
  kIpVersion,         ///< IPv6 member where only IPv4 is possible.
  kNoIpv6,            ///< An IPv6 address of a load balancer where there is none to give.
  kTooManyAttempts,
  kTooLarge,
  kStorage,  ///< The store failed; nothing was written.
  kInternal,
};

/// One problem in a request: `path` in the request's own words, for example
/// `listener.sni_container_refs[2]`.
struct ErrorDetail {
  std::string path;
  ErrorKind kind = ErrorKind::kInvalid;
  std::string message;
  /// Further keys of the answer, for example the `current` tag when `If-Match` does not hold.
  std::vector<std::pair<std::string, std::string>> facts;
};

/// An object that stands in the way (api-extensions.md 1.5).
struct Blocker {
  std::string kind;
  std::string id;
  std::string name;
};

/// A failure of the control plane, of files or of set-up. The data plane uses `Fault` instead.
struct Error {
  ErrorKind kind = ErrorKind::kInternal;
  std::string path;     ///< Field at fault; empty when no single field is.
  std::string message;  ///< English, names the field and why.
  std::vector<ErrorDetail> details;
  std::vector<Blocker> blockers;
  std::uint64_t blockers_total = 0;
  /// The request concerns a shared load balancer: some codes differ (api-v3.md 1.9.3).
  bool shared = false;
};

template <typename T>
using Result = std::expected<T, Error>;

/// Shorthand for a failing `Result`: `return Failure(ErrorKind::kInvalid, "name", "...")`.
[[nodiscard]] inline std::unexpected<Error> Failure(ErrorKind kind, std::string path,
                                                    std::string message) {
  return std::unexpected(Error{.kind = kind,
                               .path = std::move(path),
                               .message = std::move(message),
                               .details = {},
                               .blockers = {},
                               .blockers_total = 0,
                               .shared = false});
}

[[nodiscard]] inline std::unexpected<Error> Invalid(std::string path, std::string message) {
  return Failure(ErrorKind::kInvalid, std::move(path), std::move(message));
}
[[nodiscard]] inline std::unexpected<Error> Missing(std::string path, std::string message) {
  return Failure(ErrorKind::kMissing, std::move(path), std::move(message));
}
[[nodiscard]] inline std::unexpected<Error> NotFound(std::string path, std::string message) {
  return Failure(ErrorKind::kNotFound, std::move(path), std::move(message));
}
[[nodiscard]] inline std::unexpected<Error> Conflict(std::string path, std::string message) {
  return Failure(ErrorKind::kConflict, std::move(path), std::move(message));
}
[[nodiscard]] inline std::unexpected<Error> Internal(std::string message) {
  return Failure(ErrorKind::kInternal, "", std::move(message));
}

}  // namespace elb

#define ELB_CONCAT_INNER(a, b) a##b
#define ELB_CONCAT(a, b) ELB_CONCAT_INNER(a, b)

/// `ELB_ASSIGN_OR_RETURN(const bool taken, PortTaken(x));`
#define ELB_ASSIGN_OR_RETURN_INNER(temporary, declaration, ...) \
  auto temporary = (__VA_ARGS__);                               \
  if (!temporary) {                                             \
    return std::unexpected(std::move(temporary).error());       \
  }                                                             \
  declaration = *std::move(temporary)
#define ELB_ASSIGN_OR_RETURN(declaration, ...) \
  ELB_ASSIGN_OR_RETURN_INNER(ELB_CONCAT(elb_result_, __LINE__), declaration, __VA_ARGS__)

#define ELB_RETURN_IF_ERROR(...)                             \
  do {                                                       \
    if (auto elb_status = (__VA_ARGS__); !elb_status) {      \
      return std::unexpected(std::move(elb_status).error()); \
    }                                                        \
  } while (false)

#define ELB_CO_ASSIGN_OR_RETURN_INNER(temporary, declaration, ...) \
  auto temporary = (__VA_ARGS__);                                  \
  if (!temporary) {                                                \
    co_return std::unexpected(std::move(temporary).error());       \
  }                                                                \
  declaration = *std::move(temporary)
#define ELB_CO_ASSIGN_OR_RETURN(declaration, ...) \
  ELB_CO_ASSIGN_OR_RETURN_INNER(ELB_CONCAT(elb_result_, __LINE__), declaration, __VA_ARGS__)

#define ELB_CO_RETURN_IF_ERROR(...)                             \
  do {                                                          \
    if (auto elb_status = (__VA_ARGS__); !elb_status) {         \
      co_return std::unexpected(std::move(elb_status).error()); \
    }                                                           \
  } while (false)
