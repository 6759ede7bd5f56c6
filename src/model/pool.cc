#include "model/pool.h"

#include <fmt/format.h>

#include "model/common_fields.h"

namespace elb::model {
namespace {

const Schema& SessionPersistenceSchema() {
  using T = SessionPersistence;
  static const Schema schema{
      "session_persistence",
      {
          Field("type", &T::type)
              .Label("Sticky Session Type")
              .DefaultNote("none; in an update the stored type")
              .OneOf({"SOURCE_IP", "HTTP_COOKIE", "APP_COOKIE"})
              .Set(Access::kCreateAndUpdate)
              .Doc("Mandatory. SOURCE_IP for TCP, UDP and QUIC; HTTP_COOKIE, a cookie of the load "
                   "balancer, for HTTP and HTTPS; APP_COOKIE, one of the application, on shared "
                   "load balancers."),
          Field("cookie_name", &T::cookie_name)
              .Label("Cookie Name")
              .Range(1, 1024)
              .Pattern("[A-Za-z0-9._-]+")
              .OnNull(Null::kClear)
              .EmptyClears()
              .NullWhenEmpty()
              .Set(Access::kCreateAndUpdate)
              .Doc("Name of the application's cookie; with APP_COOKIE only."),
          Field("persistence_timeout", &T::persistence_timeout)
              .Label("Stickiness Duration (min)")
              .DefaultNote("1 at layer 4, 1440 at layer 7")
              .Range(1, 1440)
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Doc("Minutes: 1 to 60 at layer 4, 1 to 1440 at layer 7."),
      }};
  return schema;
}

const Schema& SlowStartSchema() {
  using T = SlowStart;
  static const Schema schema{"slow_start",
                             {
                                 Field("enable", &T::enable)
                                     .Label("Slow Start")
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Raises a new server's share of the requests linearly."),
                                 Field("duration", &T::duration)
                                     .Label("Slow Start Duration")
                                     .Range(30, 1200)
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Seconds until the full share."),
                             }};
  return schema;
}

const Schema& PoolHealthSchema() {
  static const Schema schema{
      "pool_health",
      {
          Field("minimum_healthy_member_count", &PoolHealth::minimum_healthy_member_count)
              .Label("Fail Open")
              .Range(0, 1)
              .Set(Access::kCreateAndUpdate)
              .Doc("1: with no healthy server left, all serve."),
      }};
  return schema;
}

Result<void> CheckWithoutPersistence(const Pool& pool) {
  if (pool.protocol == "QUIC") {
    return Missing("pool.session_persistence", "QUIC groups need sticky sessions");
  }
  return {};
}

bool FitsProtocol(std::string_view type, const Pool& pool, Kind kind) {
  if (!pool.is_l7()) {
    return type == "SOURCE_IP";
  }
  return type == "HTTP_COOKIE" || (type == "APP_COOKIE" && kind == Kind::kShared);
}

Result<void> CheckPersistence(Pool& pool, const Pool* before, Kind kind) {
  if (!pool.session_persistence) {
    return CheckWithoutPersistence(pool);
  }
  SessionPersistence& wanted = *pool.session_persistence;
  const std::string path = "pool.session_persistence";
  const SessionPersistence* old =
      before != nullptr && before->session_persistence ? &*before->session_persistence : nullptr;
  if (wanted.type.empty()) {
    if (old == nullptr) {
      return Failure(ErrorKind::kMissing, path + ".type", "type is mandatory");
    }
    wanted.type = old->type;
  }
  if (pool.lb_algorithm != "ROUND_ROBIN" && pool.protocol != "QUIC") {
    return Invalid(path, "sticky sessions need the algorithm ROUND_ROBIN");
  }
  const bool app_cookie = wanted.type == "APP_COOKIE";
  if (!FitsProtocol(wanted.type, pool, kind)) {
    return Invalid(path + ".type",
                   fmt::format("{} does not fit a {} group here", wanted.type, pool.protocol));
  }
  if (app_cookie == wanted.cookie_name.empty()) {
    return Invalid(path + ".cookie_name", app_cookie ? "APP_COOKIE needs a cookie_name"
                                                     : "cookie_name goes with APP_COOKIE only");
  }
  if (!wanted.persistence_timeout && !app_cookie) {
    const bool same = old != nullptr && old->type == wanted.type;
    wanted.persistence_timeout =
        same ? old->persistence_timeout : std::optional<std::int64_t>(pool.is_l7() ? 1440 : 1);
  }
  if (!pool.is_l7() && wanted.persistence_timeout > 60) {
    return Invalid(path + ".persistence_timeout", "persistence_timeout must be 1 to 60");
  }
  return {};
}

Result<void> CheckShared(const Pool& pool, Kind kind) {
  if (kind != Kind::kShared) {
    return {};
  }
  if (pool.protocol == "HTTPS" || pool.protocol == "QUIC") {
    return Failure(ErrorKind::kRestricted, "pool.protocol",
                   fmt::format("{} groups need a dedicated load balancer", pool.protocol));
  }
  if (pool.slow_start) {
    return Failure(ErrorKind::kRestricted, "pool.slow_start",
                   "slow start needs a dedicated load balancer");
  }
  if (pool.member_deletion_protection_enable) {
    return Failure(ErrorKind::kRestricted, "pool.member_deletion_protection_enable",
                   "removal protection needs a dedicated load balancer");
  }
  return {};
}

std::vector<FieldSpec> GeneralFields() {
  using T = Pool;
  return {
      Field("loadbalancer_id", &T::loadbalancer_id)
          .Label("Load Balancer")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .Lives(Life::kHidden)
          .Set(Access::kCreate)
          .Doc("Load balancer of the group; shown as loadbalancers. One of loadbalancer_id, "
               "listener_id and type is mandatory."),
      Field("listener_id", &T::listener_id)
          .Label("Listener")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .Lives(Life::kRequest)
          .Set(Access::kCreate)
          .Doc("Listener whose default group the new group becomes; shown as listeners."),
      NameField(&T::name, "backend server group"),
      DescriptionField(&T::description, "backend server group"),
      Field("protocol", &T::protocol)
          .Label("Backend Protocol")
          .OneOf({"TCP", "UDP", "HTTP", "HTTPS", "QUIC"})
          .Required()
          .Set(Access::kCreate)
          .Doc("Protocol in which backend servers receive requests. HTTPS and QUIC need a "
               "dedicated load balancer."),
      Field("lb_algorithm", &T::lb_algorithm)
          .Label("Load Balancing Algorithm")
          .OneOf({"ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP", "QUIC_CID"})
          .Required()
          .Set(Access::kCreateAndUpdate)
          .Doc("How requests are spread. QUIC_CID is for QUIC groups only."),
      AlwaysUpField(&T::admin_state_up, Access::kCreateAndUpdate),
  };
}

std::vector<FieldSpec> BehaviourFields() {
  using T = Pool;
  return {
      Field("session_persistence", &T::session_persistence, SessionPersistenceSchema())
          .Label("Sticky Session")
          .OnNull(Null::kClear)
          .Replaces()
          .Set(Access::kCreateAndUpdate)
          .Doc("Sends a client's requests to the same server; with ROUND_ROBIN only. QUIC groups "
               "need it, with any algorithm."),
      Field("slow_start", &T::slow_start, SlowStartSchema())
          .Label("Slow Start")
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("Lets new servers of HTTP and HTTPS groups warm up; dedicated only."),
      Field("pool_health", &T::pool_health, PoolHealthSchema())
          .Label("Group Health")
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("What happens when no server is healthy."),
      Field("member_deletion_protection_enable", &T::member_deletion_protection_enable)
          .Label("Removal Protection")
          .Set(Access::kCreateAndUpdate)
          .Doc("Servers cannot be removed while true; dedicated only."),
      Field("vpc_id", &T::vpc_id)
          .Label("VPC")
          .OnNull(Null::kClear)
          .EmptyClears()
          .Set(Access::kCreateAndUpdate)
          .Doc("VPC of the servers: mandatory with type instance, forbidden with ip. Can be set "
               "once."),
      Field("type", &T::type)
          .Label("Type")
          .OneOf({"instance", "ip", ""})
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("ip for IP members only; instance or empty for any. Can be set once."),
  };
}

std::vector<FieldSpec> DerivedFields() {
  return {
      Field::Derived("listeners", ValueType::kObjectList, &ReferenceSchema())
          .Label("Listeners")
          .Doc("Listeners that use the group, themselves or by a forwarding policy."),
      Field::Derived("loadbalancers", ValueType::kObjectList, &ReferenceSchema())
          .Label("Load Balancer")
          .Doc("The load balancer of the group, if any."),
      Field::Derived("members", ValueType::kObjectList, &ReferenceSchema())
          .Label("Backend Servers")
          .Doc("Backend servers in order of creation."),
      Field::Derived("healthmonitor_id", ValueType::kText)
          .Label("Health Check")
          .NullWhenEmpty()
          .Doc("Health check of the group."),
      Field::Derived("ip_version", ValueType::kText)
          .Label("IP Version")
          .OneOf({"v4", "dualstack"})
          .Doc("Addresses that servers may have."),
      Field::Derived("az_affinity", ValueType::kText)
          .Label("AZ Affinity")
          .NullWhenEmpty()
          .Doc("Always null."),
      Field::Derived("enterprise_project_id", ValueType::kText)
          .Label("Enterprise Project")
          .Doc("Always 0."),
      ExtensionsField(),
  };
}

}  // namespace

const Schema& PoolSchema() {
  using T = Pool;
  static const Schema schema{
      "pool",
      Concat({IdentityFields(), GeneralFields(), BehaviourFields(),
              ProtectionFields(&T::protection_status, &T::protection_reason), DerivedFields()})};
  return schema;
}

Result<void> CheckPool(Pool& pool, const Pool* before, Kind kind, const Given& given) {
  if (!pool.admin_state_up) {
    return Invalid("pool.admin_state_up", "admin_state_up must be true");
  }
  if (pool.lb_algorithm == "QUIC_CID" && pool.protocol != "QUIC") {
    return Invalid("pool.lb_algorithm", "QUIC_CID is for QUIC groups only");
  }
  if (pool.slow_start && WasGiven(given, "slow_start") && kind == Kind::kDedicated &&
      !pool.is_l7()) {
    return Invalid("pool.slow_start", "slow start is for HTTP and HTTPS groups");
  }
  if (before == nullptr && pool.loadbalancer_id.empty() && pool.listener_id.empty() &&
      pool.type.empty()) {
    return Missing("pool.loadbalancer_id",
                   "one of loadbalancer_id, listener_id and type is mandatory");
  }
  if (pool.type == "ip" && !pool.vpc_id.empty()) {
    return Invalid("pool.vpc_id", "vpc_id must not be given with type ip");
  }
  if (pool.type == "instance" && pool.vpc_id.empty()) {
    return Failure(ErrorKind::kMissing, "pool.vpc_id", "vpc_id is mandatory with type instance");
  }
  if (before != nullptr && !before->type.empty() && before->type != pool.type) {
    return Failure(ErrorKind::kImmutable, "pool.type", "type cannot be changed once set");
  }
  if (before != nullptr && !before->vpc_id.empty() && before->vpc_id != pool.vpc_id) {
    return Failure(ErrorKind::kImmutable, "pool.vpc_id", "vpc_id cannot be changed once set");
  }
  ELB_RETURN_IF_ERROR(CheckShared(pool, kind));
  return CheckPersistence(pool, before, kind);
}

}  // namespace elb::model
