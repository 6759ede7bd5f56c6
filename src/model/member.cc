#include "model/member.h"

#include "model/common_fields.h"

namespace elb::model {

namespace {

std::vector<FieldSpec> OwnFields() {
  using T = Member;
  return {
      NameField(&T::name, "backend server"),
      Field("address", &T::address)
          .Label("IP Address")
          .Range(1, 64)
          .Required()
          .Set(Access::kCreate)
          .Doc("IP address of the backend server; IPv4 without subnet_cidr_id."),
      Field("protocol_port", &T::protocol_port)
          .Label("Backend Port")
          .Range(1, 65535)
          .Required()
          .Set(Access::kCreate)
          .Doc("Port of the backend server; unique with the address within the group."),
      Field("weight", &T::weight)
          .Label("Weight")
          .Range(0, 100)
          .Set(Access::kCreateAndUpdate)
          .Doc("Share of the requests. 0: no new requests."),
      Field("admin_state_up", &T::admin_state_up)
          .Label("Enabled")
          .Set(Access::kCreateAndUpdate)
          .Doc("False takes the server out of service."),
      Field("subnet_cidr_id", &T::subnet_cidr_id)
          .Label("Subnet")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .Set(Access::kCreate)
          .Doc("Subnet of the server; absent for IP as a backend. Mandatory on shared load "
               "balancers."),
      Field("availability_zone", &T::availability_zone)
          .Label("AZ")
          .Range(0, kTextMax)
          .OnNull(Null::kClear)
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("Availability zone of an IP member; stored only."),
  };
}

const Schema& ReasonSchema() {
  static const Schema schema{
      "reason",
      {
          Field::Derived("reason_code", ValueType::kText)
              .Label("Reason")
              .OneOf({"CONNECT_TIMEOUT", "CONNECT_REFUSED", "CONNECT_FAILED", "CONNECT_INTERRUPT",
                      "SSL_HANDSHAKE_ERROR", "RECV_RESPONSE_FAILED", "RECV_RESPONSE_TIMEOUT",
                      "SEND_REQUEST_FAILED", "SEND_REQUEST_TIMEOUT", "RESPONSE_FORMAT_ERROR",
                      "RESPONSE_MISMATCH"})
              .Doc("What went wrong in the last check."),
          Field::Derived("expected_response", ValueType::kText)
              .Label("Expected")
              .NullWhenEmpty()
              .Doc("Status codes that count as healthy; with RESPONSE_MISMATCH only."),
          Field::Derived("healthcheck_response", ValueType::kText)
              .Label("Received")
              .NullWhenEmpty()
              .Doc("Status code received; with RESPONSE_MISMATCH only."),
      }};
  return schema;
}

FieldSpec OperatingStatusField() {
  return Field::Derived("operating_status", ValueType::kText)
      .Label("Health Check Result")
      .OneOf({"ONLINE", "OFFLINE", "NO_MONITOR"})
      .Doc("Health of the server; NO_MONITOR without a health check.");
}

const Schema& ListenerStatusSchema() {
  static const Schema schema{
      "status",
      {
          Field::Derived("listener_id", ValueType::kText).Label("Listener").Doc("The listener."),
          OperatingStatusField(),
          Field::Derived("reason", ValueType::kObject, &ReasonSchema())
              .Label("Reason")
              .NullWhenEmpty()
              .Doc("Why the server is offline."),
          Field::Derived("created_at", ValueType::kText).Label("Created").Doc("UTC."),
          Field::Derived("updated_at", ValueType::kText).Label("Updated").Doc("UTC."),
      }};
  return schema;
}

std::vector<FieldSpec> DerivedFields() {
  return {
      Field::Derived("ip_version", ValueType::kText)
          .Label("IP Version")
          .OneOf({"v4", "v6"})
          .Doc("Version of the address."),
      Field::Derived("member_type", ValueType::kText)
          .Label("Type")
          .OneOf({"ip", "instance"})
          .Doc("ip without subnet_cidr_id, else instance."),
      Field::Derived("instance_id", ValueType::kText).Label("Instance").Doc("Always empty."),
      OperatingStatusField(),
      Field::Derived("status", ValueType::kObjectList, &ListenerStatusSchema())
          .Label("Status per Listener")
          .Doc("Health as each listener of the group sees it."),
      ExtensionsField(),
  };
}

}  // namespace

const Schema& MemberSchema() {
  static const Schema schema{"member", Concat({IdentityFields(), OwnFields(), DerivedFields()})};
  return schema;
}

const Schema& MemberInternalSchema() {
  using T = Member;
  static const Schema schema{
      "member",
      {
          Field("pool_id", &T::pool_id).Label("Backend Server Group").Doc("The member's pool."),
          Field("registration", &T::registration)
              .Label("Registration")
              .Doc("The call that registered it."),
          Field("slow_start_at_registration", &T::slow_start_at_registration)
              .Label("Slow Start at Registration")
              .Doc("Slow start was on then."),
      }};
  return schema;
}

}  // namespace elb::model
