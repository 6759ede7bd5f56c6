#include "model/load_balancer.h"

namespace elb::model {

const Schema& TagSchema() {
  static const Schema schema{"tag",
                             {
                                 Field("key", &Tag::key)
                                     .Label("Key")
                                     .Range(1, 36)
                                     .Required()
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Key of the tag, unique within the object."),
                                 Field("value", &Tag::value)
                                     .Label("Value")
                                     .Range(0, 43)
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("Value of the tag."),
                             }};
  return schema;
}

const Schema& LoadBalancerSchema() {
  using T = LoadBalancer;
  static const Schema schema{
      "loadbalancer",
      {
          Field("name", &T::name)
              .Label("Name")
              .Range(0, kTextMax)
              .OnNull(Null::kClear)
              .Set(Access::kCreateAndUpdate)
              .Doc("Name of the load balancer."),
          Field("description", &T::description)
              .Label("Description")
              .Range(0, kTextMax)
              .OnNull(Null::kClear)
              .Set(Access::kCreateAndUpdate)
              .Doc("Supplementary information."),
          Field("admin_state_up", &T::admin_state_up)
              .Label("Enabled")
              .Set(Access::kCreateAndUpdate)
              .Doc("Only true is accepted."),
          Field("provider", &T::provider)
              .Label("Provider")
              .OneOf({"vlb"})
              .Set(Access::kCreate)
              .Doc("Only vlb."),
          Field("guaranteed", &T::guaranteed)
              .Label("Dedicated")
              .Set(Access::kCreate)
              .Doc("True for a dedicated load balancer, false for a shared one."),
          Field("vpc_id", &T::vpc_id)
              .Label("VPC")
              .OnNull(Null::kClear)
              .EmptyClears()
              .Set(Access::kCreate)
              .Doc("VPC of the load balancer; follows from the subnet when absent."),
          Field("vip_subnet_cidr_id", &T::vip_subnet_cidr_id)
              .Label("Subnet")
              .OnNull(Null::kClear)
              .EmptyClears()
              .NullWhenEmpty()
              .Set(Access::kCreateAndUpdate)
              .Doc("IPv4 subnet that gives the load balancer its private address."),
          Field("vip_address", &T::vip_address)
              .Label("Private IPv4 Address")
              .EmptyClears()
              .NullWhenEmpty()
              .OnNull(Null::kClear)
              .Set(Access::kCreateAndUpdate)
              .Doc("Private IPv4 address; any free one of the subnet when absent."),
          Field("vip_port_id", &T::vip_port_id)
              .NullWhenEmpty()
              .Doc("Port that carries the private address."),
          Field("ipv6_vip_virsubnet_id", &T::ipv6_vip_virsubnet_id)
              .Label("IPv6 Subnet")
              .OnNull(Null::kClear)
              .EmptyClears()
              .NullWhenEmpty()
              .Set(Access::kCreateAndUpdate)
              .Doc("IPv6 subnet."),
          Field("availability_zone_list", &T::availability_zone_list)
              .Label("AZ")
              .OnNull(Null::kClear)
              .Set(Access::kCreate)
              .Doc("Availability zones, all of one set."),
          Field("tags", &T::tags, TagSchema())
              .Label("Tag")
              .Range(0, 20)
              .OnNull(Null::kClear)
              .Set(Access::kCreate)
              .Doc("Tags; later changes go through the tag calls."),
          Field("elb_virsubnet_ids", &T::elb_virsubnet_ids)
              .Label("Backend Subnet")
              .Range(0, 64)
              .OnNull(Null::kReset)
              .Set(Access::kCreateAndUpdate)
              .Doc("Downstream subnets, as network ids."),
          Field("ip_target_enable", &T::ip_target_enable)
              .Label("IP as a Backend")
              .Set(Access::kCreateAndUpdate)
              .Doc("Allows backend servers outside the VPC. Cannot be switched off."),
          Field("l4_flavor_id", &T::l4_flavor_id)
              .Label("L4 Specification")
              .OnNull(Null::kClear)
              .EmptyClears()
              .NullWhenEmpty()
              .Set(Access::kCreateAndUpdate)
              .Doc("Flavor for TCP and UDP listeners."),
          Field("l7_flavor_id", &T::l7_flavor_id)
              .Label("L7 Specification")
              .OnNull(Null::kClear)
              .EmptyClears()
              .NullWhenEmpty()
              .Set(Access::kCreateAndUpdate)
              .Doc("Flavor for HTTP and HTTPS listeners."),
          Field("deletion_protection_enable", &T::deletion_protection_enable)
              .Label("Deletion Protection")
              .Set(Access::kCreateAndUpdate)
              .Doc("Refuses deletion while true."),
          Field("waf_failure_action", &T::waf_failure_action)
              .Label("WAF Failure Action")
              .OneOf({"discard", "forward"})
              .Set(Access::kCreateAndUpdate)
              .Doc("Stored only."),
          Field("charge_mode", &T::charge_mode)
              .Label("Billing")
              .OneOf({"flavor", "lcu"})
              .Set(Access::kCreate)
              .Doc("Stored only."),
          Field("protection_status", &T::protection_status)
              .Label("Modification Protection")
              .OneOf({"nonProtection", "consoleProtection"})
              .Set(Access::kCreateAndUpdate)
              .Doc("Informational: consoles refuse changes while consoleProtection."),
          Field("protection_reason", &T::protection_reason)
              .Label("Protection Reason")
              .Range(0, kTextMax)
              .Pattern("[^<>]*")
              .OnNull(Null::kClear)
              .Set(Access::kCreateAndUpdate)
              .Doc("Why the object is protected."),
      }};
  return schema;
}

}  // namespace elb::model
