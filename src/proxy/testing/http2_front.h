#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/signal.h"
#include "net/task_scope.h"
#include "net/testing/simulated_reactor.h"
#include "proxy/worker_listener.h"
#include "server/http2_session.h"
#include "server/testing/client_wire.h"
#include "server/testing/http2_client.h"

namespace elb::proxy::testing {

using server::testing::Http2Answer;

/// One HTTP/2 connection of a listener without TLS below it, and its client.
class Http2Front {
 public:
  /// Both outlive it.
  Http2Front(WorkerListener& listener, net::testing::SimulatedReactor& reactor)
      : listener_(&listener), reactor_(&reactor), signal_(reactor), scope_(reactor) {
    stream_.SetSignal(&signal_);
    facts_.stream = &stream_;
    scope_.Spawn(Serve(this));
  }

  /// Sends one request and lets it be answered.
  Http2Answer Ask(const server::testing::FieldPairs& fields, std::string_view content = {}) {
    std::int32_t id = 0;
    if (content.empty()) {
      id = client_.Request(fields);
    } else {
      id = client_.Open(fields);
      client_.Content(id, content, true);
    }
    Exchange();
    return client_[id];
  }

 private:
  static net::Task<void> Serve(Http2Front* front) {
    server::Http2Session session(front->stream_, front->facts_, *front->listener_,
                                 *front->listener_, front->signal_);
    static_cast<void>(co_await session.Run());
  }
  /// Carries bytes both ways until there are none.
  void Exchange() {
    while (true) {
      const std::string up = client_.Output();
      wire_.Send(up);
      reactor_->RunFor(std::chrono::milliseconds(1));
      const std::string down = wire_.TakeOutbound();
      client_.Feed(down);
      if (up.empty() && down.empty()) {
        return;
      }
    }
  }

  WorkerListener* listener_;
  net::testing::SimulatedReactor* reactor_;
  server::testing::ClientWire wire_;
  server::testing::WireStream stream_{wire_};
  server::ConnectionFacts facts_;
  server::testing::Http2Client client_;
  net::Signal signal_;
  net::TaskScope scope_;
};

}  // namespace elb::proxy::testing
