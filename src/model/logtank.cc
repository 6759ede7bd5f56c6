#include "model/logtank.h"

#include "model/common_fields.h"

namespace elb::model {

const Schema& LogtankSchema() {
  using T = Logtank;
  static const Schema schema{
      "logtank",
      Concat({IdentityFields(),
              {
                  Field("loadbalancer_id", &T::loadbalancer_id)
                      .Label("Load Balancer")
                      .Required()
                      .Set(Access::kCreate)
                      .Doc("Load balancer whose HTTP and HTTPS listeners are logged; it has one "
                           "log at most."),
                  Field("log_group_id", &T::log_group_id)
                      .Label("Log Group")
                      .Range(1, 36)
                      .Required()
                      .Set(Access::kCreateAndUpdate)
                      .Doc("Log group; any text."),
                  Field("log_topic_id", &T::log_topic_id)
                      .Label("Log Topic")
                      .Range(1, 36)
                      .Required()
                      .Set(Access::kCreateAndUpdate)
                      .Doc("Log topic; any text. Every line of the log carries it."),
                  ExtensionsField(),
              }})};
  return schema;
}

}  // namespace elb::model
