#include "net/testing/memory_stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "net/signal.h"
#include "net/socket_address.h"

namespace elb::net::testing {

void MemoryEnd::Notify() {
  untold = signal == nullptr;
  if (signal != nullptr) {
    signal->Notify();
  }
}

MemoryStream::~MemoryStream() {
  end_->destroyed = true;
  end_->signal = nullptr;
  Tell();
}

void MemoryStream::Tell() {
  if (end_->transport != nullptr) {
    end_->transport->OnActivity(*end_);
  }
}

void MemoryStream::SetSignal(Signal* signal) {
  end_->signal = signal;
  const bool news = end_->untold || end_->end || !end_->inbound.empty();
  if (signal != nullptr && news) {
    end_->Notify();
  }
}

Outcome<bool> MemoryStream::TryEstablish() {
  if (end_->establish_fault) {
    return std::unexpected(*end_->establish_fault);
  }
  return end_->connected;
}

ReadResult MemoryStream::TryRead(std::span<std::byte> into) {
  ELB_ASSERT(!into.empty());
  ++end_->reads;
  const std::size_t count = std::min({into.size(), end_->inbound.size(), end_->read_max});
  if (count == 0) {
    return end_->end.value_or(ReadResult{});
  }
  std::memcpy(into.data(), end_->inbound.data(), count);
  end_->inbound.erase(0, count);
  Tell();
  return {.kind = ReadResult::Kind::kData, .bytes = count, .fault = {}};
}

Outcome<void> MemoryStream::Write(std::span<const std::string_view> pieces) {
  ++end_->writes;
  if (end_->write_fault) {
    return std::unexpected(*end_->write_fault);
  }
  for (const std::string_view piece : pieces) {
    end_->outbound += piece;
  }
  Tell();
  return {};
}

void MemoryStream::CloseWrite() {
  end_->write_closed = true;
  Tell();
}

void MemoryStream::Abort() {
  end_->aborted = true;
  end_->inbound.clear();
  end_->pending = 0;
  end_->establish_fault = end_->write_fault = FaultOfErrno(ECONNABORTED);
  end_->Break(FaultOfErrno(ECONNRESET));
  Tell();
}

}  // namespace elb::net::testing
