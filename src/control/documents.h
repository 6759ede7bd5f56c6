#pragma once

#include <string>
#include <string_view>

#include "control/state.h"
#include "model/document.h"
#include "store/document.h"

namespace elb::control {

/// The word of `T` in documents, errors and revisions.
template <typename T>
struct KindName;
template <>
struct KindName<model::LoadBalancer> {
  static constexpr std::string_view kText = "loadbalancer";
};
template <>
struct KindName<model::Listener> {
  static constexpr std::string_view kText = "listener";
};
template <>
struct KindName<model::Pool> {
  static constexpr std::string_view kText = "pool";
};
template <>
struct KindName<model::Member> {
  static constexpr std::string_view kText = "member";
};
template <>
struct KindName<model::HealthMonitor> {
  static constexpr std::string_view kText = "healthmonitor";
};
template <>
struct KindName<model::Certificate> {
  static constexpr std::string_view kText = "certificate";
};
template <>
struct KindName<model::IpGroup> {
  static constexpr std::string_view kText = "ipgroup";
};
template <>
struct KindName<model::Logtank> {
  static constexpr std::string_view kText = "logtank";
};
template <>
struct KindName<model::SecurityPolicy> {
  static constexpr std::string_view kText = "security_policy";
};
template <>
struct KindName<model::L7Policy> {
  static constexpr std::string_view kText = "l7policy";
};
template <>
struct KindName<model::L7Rule> {
  static constexpr std::string_view kText = "rule";
};
template <>
struct KindName<model::Eip> {
  static constexpr std::string_view kText = "publicip";
};

/// The table of `T`.
template <typename T>
[[nodiscard]] const model::Schema& SchemaOf();

/// The object as it is stored, with its secrets apart.
template <typename T>
[[nodiscard]] store::Document ToDocument(const T& object, std::uint64_t sequence);
/// Errors (kStorage): the text is not what we wrote.
template <typename T>
[[nodiscard]] Result<T> FromDocument(const store::Document& document);

/// The object's own fields, as revisions compare them.
template <typename T>
[[nodiscard]] model::Json OwnFields(const T& object);
/// Those that responses show as they are stored.
template <typename T>
[[nodiscard]] model::Json ShownFields(const T& object);

}  // namespace elb::control
