#include "model/public_address.h"

#include "model/field.h"

namespace elb::model {
namespace {

const Schema& BandwidthSchema() {
  using T = Bandwidth;
  static const Schema schema{
      "bandwidth",
      {
          Field("id", &T::id)
              .Label("Shared Bandwidth")
              .OnNull(Null::kClear)
              .EmptyClears()
              .NullWhenEmpty()
              .Set(Access::kCreate)
              .Doc("An existing shared bandwidth; everything else here is then ignored."),
          Field("name", &T::name)
              .Label("Bandwidth Name")
              .Range(1, 64)
              .Pattern("[A-Za-z0-9_.-]*")
              .OnNull(Null::kClear)
              .EmptyClears()
              .NullWhenEmpty()
              .Set(Access::kCreate)
              .Doc("Name of the new bandwidth; mandatory with share_type PER."),
          Field("size", &T::size)
              .Label("Bandwidth (Mbit/s)")
              .Range(1, 2000)
              .OnNull(Null::kClear)
              .Set(Access::kCreate)
              .Doc("Mbit/s; mandatory without id."),
          Field("share_type", &T::share_type)
              .Label("Bandwidth Type")
              .OneOf({"PER", "WHOLE"})
              .OnNull(Null::kClear)
              .NullWhenEmpty()
              .Set(Access::kCreate)
              .Doc("PER: of this address alone; WHOLE: shared, which needs id. Mandatory without "
                   "id."),
          Field("charge_mode", &T::charge_mode)
              .Label("Billed By")
              .OneOf({"traffic", "bandwidth"})
              .OnNull(Null::kClear)
              .NullWhenEmpty()
              .Set(Access::kCreate)
              .Doc("How the bandwidth is billed; mandatory without id."),
      }};
  return schema;
}

}  // namespace

const Schema& PublicAddressSchema() {
  using T = PublicAddress;
  static const Schema schema{"publicip",
                             {
                                 Field("network_type", &T::network_type)
                                     .Label("EIP Type")
                                     .Range(1, kTextMax)
                                     .Required()
                                     .Set(Access::kCreate)
                                     .Doc("Type of the public address, for example 5_bgp."),
                                 Field("ip_version", &T::ip_version)
                                     .Label("IP Version")
                                     .Range(4, 6)
                                     .OnNull(Null::kReset)
                                     .Set(Access::kCreate)
                                     .Doc("4 or 6."),
                                 Field("description", &T::description)
                                     .Label("Description")
                                     .Range(0, kTextMax)
                                     .OnNull(Null::kClear)
                                     .Set(Access::kCreate)
                                     .Doc("Supplementary information about the public address."),
                                 Field("bandwidth", &T::bandwidth, BandwidthSchema())
                                     .Label("Bandwidth")
                                     .Required()
                                     .Set(Access::kCreate)
                                     .Doc("Bandwidth of the public address."),
                             }};
  return schema;
}

Result<void> CheckPublicAddress(const PublicAddress& address) {
  const std::string path = "loadbalancer.publicip.";
  if (address.ip_version == 5) {
    return Invalid(path + "ip_version", "ip_version must be 4 or 6");
  }
  if (!address.bandwidth) {
    return Missing(path + "bandwidth", "bandwidth is mandatory");
  }
  const Bandwidth& bandwidth = *address.bandwidth;
  if (bandwidth.share_type == "WHOLE" && address.ip_version == 6) {
    return Invalid(path + "bandwidth.share_type", "an IPv6 address cannot share a bandwidth");
  }
  if (!bandwidth.id.empty()) {
    return {};
  }
  if (bandwidth.share_type.empty()) {
    return Missing(path + "bandwidth.share_type", "share_type is mandatory without id");
  }
  if (bandwidth.share_type == "WHOLE") {
    return Missing(path + "bandwidth.id", "share_type WHOLE needs the id of a shared bandwidth");
  }
  if (!bandwidth.size) {
    return Missing(path + "bandwidth.size", "size is mandatory without id");
  }
  if (bandwidth.charge_mode.empty()) {
    return Missing(path + "bandwidth.charge_mode", "charge_mode is mandatory without id");
  }
  if (bandwidth.name.empty()) {
    return Missing(path + "bandwidth.name", "name is mandatory with share_type PER");
  }
  return {};
}

}  // namespace elb::model
