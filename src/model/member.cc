#include "model/member.h"

namespace elb::model {

const Schema& MemberSchema() {
  using T = Member;
  static const Schema schema{"member",
                             {
                                 Field("name", &T::name)
                                     .Label("Name")
                                     .Range(0, kTextMax)
                                     .OnNull(Null::kClear)
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Name of the backend server."),
                                 Field("address", &T::address)
                                     .Label("IP Address")
                                     .Range(1, 64)
                                     .Required()
                                     .Set(Access::kCreate)
                                     .Doc("Address of the backend server."),
                                 Field("protocol_port", &T::protocol_port)
                                     .Label("Backend Port")
                                     .Range(1, 65535)
                                     .Required()
                                     .Set(Access::kCreate)
                                     .Doc("Port of the backend server."),
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
                                     .Doc("Subnet of the server; absent for IP as a backend."),
                                 Field("availability_zone", &T::availability_zone)
                                     .Label("AZ")
                                     .Range(0, kTextMax)
                                     .OnNull(Null::kClear)
                                     .NullWhenEmpty()
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Availability zone; stored only."),
                             }};
  return schema;
}

const Schema& MemberInternalSchema() {
  using T = Member;
  static const Schema schema{
      "member",
      {
          Field("pool_id", &T::pool_id).Doc("The member's pool."),
          Field("registration", &T::registration).Doc("The call that registered it."),
          Field("slow_start_at_registration", &T::slow_start_at_registration)
              .Doc("Slow start was on then."),
      }};
  return schema;
}

}  // namespace elb::model
