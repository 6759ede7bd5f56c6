#include "net/socket_traffic.h"

#include <linux/sock_diag.h>
#include <linux/tcp.h>  // Newer than <netinet/tcp.h>: its tcp_info counts packets.
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

namespace elb::net {
namespace {

constexpr std::uint32_t kPacketPeriodSeconds = 10;

std::uint32_t SecondsOf(MonotonicTime time) {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
}

}  // namespace

SocketTraffic::SocketTraffic(MonotonicTime now) : asked_s_(SecondsOf(now)) {}

Traffic SocketTraffic::Take(PacketCount packets, int descriptor, MonotonicTime now) {
  Traffic traffic;
  traffic.bytes_in = std::exchange(bytes_in_, 0);
  traffic.bytes_out = std::exchange(bytes_out_, 0);
  const bool due =
      packets == PacketCount::kNow ||
      (packets == PacketCount::kWhenDue && SecondsOf(now) - asked_s_ >= kPacketPeriodSeconds);
  tcp_info info{};
  socklen_t length = sizeof(info);
  if (!due || descriptor < 0 ||
      getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) {
    return traffic;
  }
  asked_s_ = SecondsOf(now);
  traffic.packets_in = info.tcpi_segs_in - std::exchange(packets_in_, info.tcpi_segs_in);
  traffic.packets_out = info.tcpi_segs_out - std::exchange(packets_out_, info.tcpi_segs_out);
  return traffic;
}

std::size_t SocketWriteRoom(int descriptor) {
  std::array<std::uint32_t, SK_MEMINFO_VARS> info{};
  socklen_t length = sizeof(info);
  if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, info.data(), &length) != 0) {
    return SIZE_MAX;
  }
  const std::size_t room =
      info[SK_MEMINFO_SNDBUF] - std::min(info[SK_MEMINFO_SNDBUF], info[SK_MEMINFO_WMEM_QUEUED]);
  return room / 3 * 2;  // The kernel counts what it needs around the bytes too.
}

}  // namespace elb::net
