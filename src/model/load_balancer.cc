#include "model/load_balancer.h"

#include "model/common_fields.h"
#include "model/public_address.h"

namespace elb::model {
namespace {

const Schema& BandwidthReferenceSchema() {
  static const Schema schema{"ipv6_bandwidth",
                             {
                                 Field("id", &BandwidthReference::id)
                                     .Label("Shared Bandwidth")
                                     .Range(1, 64)
                                     .Required()
                                     .Set(Access::kCreateAndUpdate)
                                     .Doc("ID of the shared bandwidth."),
                             }};
  return schema;
}

const Schema& EipSchema() {
  static const Schema schema{
      "eip",
      {
          Field::Derived("eip_id", ValueType::kText)
              .Label("EIP ID")
              .Doc("ID of the public address."),
          Field::Derived("eip_address", ValueType::kText).Label("EIP").Doc("The public address."),
          Field::Derived("ip_version", ValueType::kNumber).Label("IP Version").Doc("4 or 6."),
      }};
  return schema;
}

const Schema& PublicIpSchema() {
  static const Schema schema{
      "publicip",
      {
          Field::Derived("publicip_id", ValueType::kText)
              .Label("EIP ID")
              .Doc("ID of the public address."),
          Field::Derived("publicip_address", ValueType::kText)
              .Label("EIP")
              .Doc("The public address."),
          Field::Derived("ip_version", ValueType::kNumber).Label("IP Version").Doc("4 or 6."),
      }};
  return schema;
}

std::vector<FieldSpec> GeneralFields() {
  using T = LoadBalancer;
  return {
      NameField(&T::name, "load balancer"),
      DescriptionField(&T::description, "load balancer"),
      AlwaysUpField(&T::admin_state_up, Access::kCreateAndUpdate),
      Field("provider", &T::provider)
          .Label("Provider")
          .OneOf({"vlb"})
          .Set(Access::kCreate)
          .Doc("Only vlb."),
      Field("guaranteed", &T::guaranteed)
          .Label("Dedicated")
          .Set(Access::kCreate)
          .Doc("True for a dedicated load balancer, false for a shared one."),
      Field("availability_zone_list", &T::availability_zone_list)
          .Label("AZ")
          .OnNull(Null::kClear)
          .Set(Access::kCreate)
          .Doc("Availability zones, all of one set; a dedicated load balancer needs at least one."),
      Field("l4_flavor_id", &T::l4_flavor_id)
          .Label("Network Load Balancing Specification")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .DefaultNote("the site's default when l7_flavor_id is absent too")
          .Set(Access::kCreateAndUpdate)
          .Doc("Flavor for TCP and UDP listeners. Dedicated only; cannot be added or removed "
               "later."),
      Field("l7_flavor_id", &T::l7_flavor_id)
          .Label("Application Load Balancing Specification")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .DefaultNote("the site's default when l4_flavor_id is absent too")
          .Set(Access::kCreateAndUpdate)
          .Doc("Flavor for HTTP and HTTPS listeners. Dedicated only; cannot be added or removed "
               "later."),
      Field("ip_target_enable", &T::ip_target_enable)
          .Label("IP as a Backend")
          .Set(Access::kCreateAndUpdate)
          .Doc("Allows backend servers outside the VPC. Dedicated only; cannot be switched off."),
      Field("deletion_protection_enable", &T::deletion_protection_enable)
          .Label("Deletion Protection")
          .Set(Access::kCreateAndUpdate)
          .Doc("Refuses deletion while true."),
      Field("waf_failure_action", &T::waf_failure_action)
          .Label("WAF Failure Action")
          .OneOf({"discard", "forward"})
          .Set(Access::kCreateAndUpdate)
          .Doc("What to do with traffic when the web application firewall fails; stored only."),
      Field("charge_mode", &T::charge_mode)
          .Label("Billing")
          .OneOf({"flavor", "lcu"})
          .Set(Access::kCreate)
          .Doc("Billing by flavor or by capacity units; stored only."),
      TagsField(&T::tags),
  };
}

std::vector<FieldSpec> NetworkFields() {
  using T = LoadBalancer;
  return {
      Field("vpc_id", &T::vpc_id)
          .Label("VPC")
          .OnNull(Null::kClear)
          .EmptyClears()
          .DefaultNote("that of the subnet")
          .Set(Access::kCreate)
          .Doc("VPC of the load balancer. One of vpc_id, vip_subnet_cidr_id and "
               "ipv6_vip_virsubnet_id is mandatory."),
      Field("vip_subnet_cidr_id", &T::vip_subnet_cidr_id)
          .Label("Frontend Subnet")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("IPv4 subnet that gives the load balancer its private address; a shared load "
               "balancer needs it. null on a dedicated one releases the address."),
      Field("vip_address", &T::vip_address)
          .Label("Private IPv4 Address")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .DefaultNote("any free address of the subnet")
          .Set(Access::kCreateAndUpdate)
          .Doc("Private IPv4 address inside vip_subnet_cidr_id."),
      Field("vip_port_id", &T::vip_port_id)
          .Label("Port ID")
          .NullWhenEmpty()
          .Doc("Network port that carries the private address."),
      Field("ipv6_vip_virsubnet_id", &T::ipv6_vip_virsubnet_id)
          .Label("IPv6 Subnet")
          .OnNull(Null::kClear)
          .EmptyClears()
          .NullWhenEmpty()
          .Set(Access::kCreateAndUpdate)
          .Doc("IPv6 subnet, as network id; null on a dedicated one releases the address."),
      Field("ipv6_bandwidth", &T::ipv6_bandwidth, BandwidthReferenceSchema())
          .Label("IPv6 Bandwidth")
          .OnNull(Null::kClear)
          .Set(Access::kCreateAndUpdate)
          .Doc("Shared bandwidth of the public IPv6 address; needs ipv6_vip_virsubnet_id."),
      Field("publicip_ids", &T::publicip_ids)
          .Label("EIP")
          .OnNull(Null::kClear)
          .Lives(Life::kRequest)
          .Set(Access::kCreate)
          .Doc("Existing public address to bind; only the first counts. Excludes publicip."),
      Field("publicip", &T::publicip, PublicAddressSchema())
          .Label("New EIP")
          .OnNull(Null::kClear)
          .Lives(Life::kRequest)
          .Set(Access::kCreate)
          .Doc("Allocates a public address and binds it."),
      Field("elb_virsubnet_ids", &T::elb_virsubnet_ids)
          .Label("Backend Subnet")
          .Range(0, 64)
          .OnNull(Null::kReset)
          .DefaultNote("the network of the frontend subnet")
          .Set(Access::kCreateAndUpdate)
          .Doc("Downstream subnets, as network ids. Dedicated only on update."),
  };
}

std::vector<FieldSpec> DerivedFields() {
  const auto nullable_text = [](const char* name, const char* label, const char* doc) {
    return FieldSpec(Field::Derived(name, ValueType::kText).Label(label).NullWhenEmpty().Doc(doc));
  };
  return {
      Field::Derived("provisioning_status", ValueType::kText)
          .Label("Provisioning Status")
          .OneOf({"ACTIVE", "PENDING_DELETE"})
          .Doc("ACTIVE, or PENDING_DELETE while a forced deletion runs."),
      Field::Derived("operating_status", ValueType::kText)
          .Label("Status")
          .OneOf({"ONLINE", "FROZEN"})
          .Doc("Whether the load balancer serves."),
      nullable_text("ipv6_vip_address", "IPv6 Address", "The IPv6 address."),
      nullable_text("ipv6_vip_port_id", "IPv6 Port ID", "Port that carries the IPv6 address."),
      Field::Derived("listeners", ValueType::kObjectList, &ReferenceSchema())
          .Label("Listeners")
          .Doc("Listeners of the load balancer."),
      Field::Derived("pools", ValueType::kObjectList, &ReferenceSchema())
          .Label("Backend Server Groups")
          .Doc("Backend server groups of the load balancer."),
      Field::Derived("eips", ValueType::kObjectList, &EipSchema())
          .Label("EIP")
          .Doc("Public addresses bound."),
      Field::Derived("publicips", ValueType::kObjectList, &PublicIpSchema())
          .Label("EIP")
          .Doc("Public addresses bound, in the words of publicip."),
      Field::Derived("elb_virsubnet_type", ValueType::kText)
          .Label("Backend Subnet Type")
          .OneOf({"ipv4", "dualstack"})
          .Doc("dualstack when a downstream subnet has IPv6."),
      nullable_text("l4_scale_flavor_id", "Elastic L4 Flavor", "Always null."),
      nullable_text("l7_scale_flavor_id", "Elastic L7 Flavor", "Always null."),
      nullable_text("frozen_scene", "Frozen Because", "Why the load balancer is frozen."),
      nullable_text("billing_info", "Billing Information", "Always null."),
      nullable_text("log_group_id", "Log Group", "Log group of its log."),
      nullable_text("log_topic_id", "Log Topic", "Log topic of its log."),
      Field::Derived("public_border_group", ValueType::kText)
          .Label("Border Group")
          .Doc("Always center."),
      Field::Derived("enterprise_project_id", ValueType::kText)
          .Label("Enterprise Project")
          .Doc("Always 0."),
      ExtensionsField(),
  };
}

Result<void> CheckFlavorChange(const LoadBalancer& balancer, const LoadBalancer& before) {
  for (const auto& [name, member] : {std::pair{"l4_flavor_id", &LoadBalancer::l4_flavor_id},
                                     std::pair{"l7_flavor_id", &LoadBalancer::l7_flavor_id}}) {
    if ((before.*member).empty() != (balancer.*member).empty()) {
      return Failure(ErrorKind::kFlavorChange, std::string("loadbalancer.") + name,
                     std::string(name) + " cannot be added or removed");
    }
  }
  return {};
}

Result<void> CheckChange(const LoadBalancer& balancer, const LoadBalancer& before) {
  if (before.ip_target_enable && !balancer.ip_target_enable) {
    return Invalid("loadbalancer.ip_target_enable", "ip_target_enable cannot be switched off");
  }
  if (balancer.guaranteed) {
    return CheckFlavorChange(balancer, before);
  }
  for (const auto& [name, changed] :
       {std::pair{"vip_subnet_cidr_id", balancer.vip_subnet_cidr_id != before.vip_subnet_cidr_id},
        std::pair{"vip_address", balancer.vip_address != before.vip_address},
        std::pair{"ipv6_vip_virsubnet_id",
                  balancer.ipv6_vip_virsubnet_id != before.ipv6_vip_virsubnet_id},
        std::pair{"elb_virsubnet_ids", balancer.elb_virsubnet_ids != before.elb_virsubnet_ids}}) {
    if (changed) {
      return Failure(ErrorKind::kImmutable, std::string("loadbalancer.") + name,
                     std::string(name) + " of a shared load balancer cannot be changed");
    }
  }
  return {};
}

}  // namespace

const Schema& LoadBalancerSchema() {
  using T = LoadBalancer;
  static const Schema schema{
      "loadbalancer",
      Concat({IdentityFields(), GeneralFields(), NetworkFields(),
              ProtectionFields(&T::protection_status, &T::protection_reason), DerivedFields()})};
  return schema;
}

Result<void> CheckLoadBalancer(const LoadBalancer& balancer, const LoadBalancer* before) {
  if (!balancer.admin_state_up) {
    return Invalid("loadbalancer.admin_state_up", "admin_state_up must be true");
  }
  if (!balancer.guaranteed && balancer.ip_target_enable) {
    return Failure(ErrorKind::kRestricted, "loadbalancer.ip_target_enable",
                   "IP as a backend needs a dedicated load balancer");
  }
  if (balancer.ipv6_bandwidth && balancer.ipv6_vip_virsubnet_id.empty()) {
    return Invalid("loadbalancer.ipv6_bandwidth", "ipv6_bandwidth needs ipv6_vip_virsubnet_id");
  }
  ELB_RETURN_IF_ERROR(CheckTags(balancer.tags, "loadbalancer.tags"));
  if (before != nullptr) {
    return CheckChange(balancer, *before);
  }
  if (balancer.guaranteed && balancer.availability_zone_list.empty()) {
    return Missing("loadbalancer.availability_zone_list", "availability_zone_list is mandatory");
  }
  if (balancer.vpc_id.empty() && balancer.vip_subnet_cidr_id.empty() &&
      balancer.ipv6_vip_virsubnet_id.empty()) {
    return Missing("loadbalancer.vpc_id",
                   "one of vpc_id, vip_subnet_cidr_id and ipv6_vip_virsubnet_id is mandatory");
  }
  if (!balancer.guaranteed && balancer.vip_subnet_cidr_id.empty()) {
    return Missing("loadbalancer.vip_subnet_cidr_id",
                   "a shared load balancer needs vip_subnet_cidr_id");
  }
  if (balancer.vip_subnet_cidr_id.empty() && !balancer.vip_address.empty()) {
    return Invalid("loadbalancer.vip_address", "vip_address needs vip_subnet_cidr_id");
  }
  if (!balancer.publicip) {
    return {};
  }
  if (!balancer.publicip_ids.empty()) {
    return Invalid("loadbalancer.publicip", "publicip and publicip_ids exclude each other");
  }
  return CheckPublicAddress(*balancer.publicip);
}

}  // namespace elb::model
