#include "rest/rest_handler.h"

#include <atomic>
#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace elb::rest {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& letter : lower) {
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  }
  return lower;
}

Request ReadRequest(const server::ServerStream& stream) {
  const http::RequestHead& head = stream.request();
  Request request{.method = std::string(head.method_text),
                  .path = std::string(head.path),
                  .query = std::string(head.query),
                  .host = std::string(head.authority),
                  .body = {},
                  .peer = stream.connection().peer().address.ToString()};
  for (const http::Field& field : head.fields) {
    request.headers.emplace(Lower(field.name), field.value);
  }
  return request;
}

void Send(server::ServerStream& stream, const Response& response, bool close) {
  std::vector<http::Field> fields;
  if (!response.body.empty()) {
    fields.push_back({.name = "Content-Type",
                      .value = response.content_type,
                      .known = http::FieldName::kContentType});
  }
  for (const auto& [name, value] : response.headers) {
    fields.push_back({.name = name, .value = value, .known = http::FieldName::kOther});
  }
  stream.SendHead({.status = response.status,
                   .reason = {},
                   .fields = fields,
                   .content_length = response.body.size(),
                   .close = close},
                  response.body, server::BodyEnd::kLast);
}

Error TooLarge() {
  return {.kind = ErrorKind::kTooLarge, .path = "body", .message = "the body is larger than 2 MiB"};
}

Error BadFraming() {
  return {.kind = ErrorKind::kInvalid, .path = "body", .message = "the body is not framed well"};
}

/// Where the control thread leaves its answer. The handler may be gone by then.
struct Mailbox {
  Mutex mutex;
  net::Signal* signal ELB_GUARDED_BY(mutex) = nullptr;  ///< Null once the handler is gone.
  net::Reactor* reactor = nullptr;
  Response response;
  std::atomic<bool> ready = false;
};

/// Detaches the handler's frame from its mailbox, however the frame ends.
class MailboxOwner {
 public:
  explicit MailboxOwner(net::Signal& signal) : mailbox_(std::make_shared<Mailbox>()) {
    const MutexLock lock(mailbox_->mutex);
    mailbox_->signal = &signal;
    mailbox_->reactor = &signal.reactor();
  }
  ~MailboxOwner() {
    const MutexLock lock(mailbox_->mutex);
    mailbox_->signal = nullptr;
  }
  MailboxOwner(const MailboxOwner&) = delete;
  MailboxOwner& operator=(const MailboxOwner&) = delete;
  MailboxOwner(MailboxOwner&&) = delete;
  MailboxOwner& operator=(MailboxOwner&&) = delete;
  [[nodiscard]] const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }

 private:
  std::shared_ptr<Mailbox> mailbox_;
};

void Deliver(const std::shared_ptr<Mailbox>& mailbox, Response response) {
  mailbox->response = std::move(response);
  mailbox->ready.store(true, std::memory_order_release);
  const MutexLock lock(mailbox->mutex);
  if (mailbox->signal != nullptr) {
    mailbox->reactor->Post([mailbox] {
      const MutexLock inner(mailbox->mutex);
      if (mailbox->signal != nullptr) {
        mailbox->signal->Notify();
      }
    });
  }
}

/// Nobody waits for the answer any more.
bool Abandoned(const std::shared_ptr<Mailbox>& mailbox) {
  const MutexLock lock(mailbox->mutex);
  return mailbox->signal == nullptr;
}

/// On the thread of sign-ins. A client that has left gets no work done.
void SignIn(Api& api, control::Executor& control, const std::shared_ptr<Mailbox>& mailbox,
            Request request) {
  if (Abandoned(mailbox)) {
    return;
  }
  std::optional<control::PasswordCheck> check;
  control.RunAndWait([&] { check = api.CheckFor(request); });
  if (check) {
    request.verdict = {.hash = check->hash, .matches = check->Matches()};
  }
  control.RunAndWait([&] { Deliver(mailbox, api.Handle(request)); });
}

}  // namespace

net::Task<RestHandler::BodyOutcome> RestHandler::ReadBody(server::ServerStream* stream,
                                                          std::string* body) {
  net::Signal& signal = stream->signal();
  while (true) {
    const server::BodyRead read = stream->TryReadBody(64 * 1024);
    switch (read.kind) {
      case server::BodyRead::Kind::kEnd:
        co_return BodyOutcome{};
      case server::BodyRead::Kind::kGone:
        co_return BodyOutcome{.gone = true, .refusal = std::nullopt};
      case server::BodyRead::Kind::kRefused:
        co_return BodyOutcome{.refusal = read.status == 413 ? TooLarge() : BadFraming()};
      case server::BodyRead::Kind::kData:
        body->append(read.data);
        if (body->size() > kBodyBytesMax) {
          co_return BodyOutcome{.refusal = TooLarge()};
        }
        continue;
      case server::BodyRead::Kind::kWouldBlock:
        break;
    }
    signal.SetDeadline(signal.reactor().now() + std::chrono::seconds{60});
    if (co_await signal.Wait() != net::Wake::kNotified) {
      co_return BodyOutcome{.gone = true, .refusal = std::nullopt};
    }
  }
}

net::Task<void> RestHandler::Serve(server::ServerStream& stream) {
  Request request = ReadRequest(stream);
  const BodyOutcome body = co_await ReadBody(&stream, &request.body);
  if (body.gone) {
    stream.Cut();
    co_return;
  }
  net::Signal& signal = stream.signal();
  signal.ClearDeadline();
  const MailboxOwner owner(signal);
  const std::shared_ptr<Mailbox>& mailbox = owner.mailbox();
  if (!body.refusal && Api::SignsIn(request)) {
    threads_.sign_in->Run(
        [api = api_, control = threads_.control, mailbox, request = std::move(request)]() mutable {
          SignIn(*api, *control, mailbox, std::move(request));
        });
  } else {
    threads_.control->Run(
        [api = api_, mailbox, request = std::move(request), refusal = body.refusal] {
          Deliver(mailbox, refusal ? api->Refuse(request, *refusal) : api->Handle(request));
        });
  }
  while (!mailbox->ready.load(std::memory_order_acquire)) {
    if (co_await signal.Wait() == net::Wake::kCancelled) {
      stream.Cut();
      co_return;
    }
  }
  Send(stream, mailbox->response, body.refusal.has_value());
}

void RestHandler::OnRefused(const server::ConnectionFacts& /*connection*/,
                            const server::RefusedRequest& /*refused*/) {}

void RestHandler::OnHandshakeFailed(const server::ConnectionFacts& /*connection*/,
                                    const Fault& /*fault*/) {}

}  // namespace elb::rest
