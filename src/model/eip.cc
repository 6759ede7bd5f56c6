#include "model/eip.h"

#include "model/field.h"
#include "model/public_address.h"

namespace elb::model {

const Schema& EipDocumentSchema() {
  using T = Eip;
  static const Schema schema{
      "publicip",
      {
          Field("address", &T::address).Label("EIP").Doc("The public address."),
          Field("asked", &T::asked, PublicAddressSchema())
              .Label("New EIP")
              .Doc("What the call asked for that allocated it."),
      }};
  return schema;
}

}  // namespace elb::model
