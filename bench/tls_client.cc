// A TLS 1.3 load client for what wrk cannot do: handshakes, a fixed request rate, idle connections.
//
//   tls_client handshakes ADDRESS PORT SECONDS CONNECTIONS full|resumed [SERVER_NAME]
//   tls_client rate       ADDRESS PORT SECONDS CONNECTIONS REQUESTS_PER_SECOND TARGET
//   tls_client idle       ADDRESS PORT CONNECTIONS TARGET     (until standard input ends)
//
// Prints one line of JSON. One thread per connection, blocking calls.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::duration;
using std::chrono::duration_cast;

struct SslDeleter {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
struct SessionDeleter {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using SslPointer = std::unique_ptr<SSL, SslDeleter>;
using SessionPointer = std::unique_ptr<SSL_SESSION, SessionDeleter>;

[[noreturn]] void Die(std::string_view what) {
  std::fprintf(stderr, "tls_client: %.*s (errno %d: %s)\n", static_cast<int>(what.size()),
               what.data(), errno, std::strerror(errno));
  ERR_print_errors_fp(stderr);
  std::exit(1);
}

struct Peer {
  sockaddr_in address{};
  SSL_CTX* context = nullptr;
  std::string server_name;  ///< Empty: none is sent.
};

SSL_CTX* MakeContext() {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  if (SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1) {
    Die("suite");
  }
  // With a client cache OpenSSL would let each ticket be used only once.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  return context;
}

/// One connection; each thread has a loopback source address of its own, so that closed connections
/// in TIME_WAIT do not use up the ports.
class Connection {
 public:
  Connection(const Peer& peer, int thread, SSL_SESSION* session) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(0x7F010101U + static_cast<std::uint32_t>(thread));
    if (bind(socket_, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0 ||
        connect(socket_, reinterpret_cast<const sockaddr*>(&peer.address), sizeof peer.address)) {
      Die("connect");
    }
    ssl_.reset(SSL_new(peer.context));
    SSL_set_fd(ssl_.get(), socket_);
    if (!peer.server_name.empty()) {
      SSL_set_tlsext_host_name(ssl_.get(), peer.server_name.c_str());
    }
    if (session != nullptr) {
      SSL_set_session(ssl_.get(), session);
    }
    if (SSL_connect(ssl_.get()) != 1) {
      Die("handshake");
    }
  }
  ~Connection() {
    ssl_.reset();
    ::close(socket_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  [[nodiscard]] std::string agreed() const {
    return std::string(SSL_get_version(ssl_.get())) + " " + SSL_get_cipher_name(ssl_.get());
  }

  /// Sends a GET and reads the whole answer; false when that failed or was not a 200.
  bool Get(std::string_view target) {
    const std::string request =
        "GET " + std::string(target) + " HTTP/1.1\r\nHost: bench.test\r\n\r\n";
    return SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size())) > 0 && Read();
  }

  /// The newest ticket that this connection got; read a response first.
  SessionPointer Session() { return SessionPointer(SSL_get1_session(ssl_.get())); }

  /// close_notify and FIN, then waits for the other side's end, so that nothing is reset.
  void CloseOrderly() {
    SSL_shutdown(ssl_.get());
    shutdown(socket_, SHUT_WR);
    char rest[4096];
    while (recv(socket_, rest, sizeof rest, 0) > 0) {
    }
  }

 private:
  bool Read() {
    static constexpr std::string_view kLength = "ontent-length: ";
    buffer_.clear();
    std::size_t needed = 0;
    while (needed == 0 || buffer_.size() < needed) {
      char piece[16384];
      const int got = SSL_read(ssl_.get(), piece, sizeof piece);
      if (got <= 0) {
        return false;
      }
      buffer_.append(piece, static_cast<std::size_t>(got));
      const std::size_t end = buffer_.find("\r\n\r\n");
      if (needed == 0 && end != std::string::npos) {
        std::string head = buffer_.substr(0, end + 2);
        std::transform(head.begin(), head.end(), head.begin(), ::tolower);
        const std::size_t at = head.find(kLength);
        if (at == std::string::npos) {
          return false;
        }
        needed = end + 4 + std::strtoull(head.c_str() + at + kLength.size(), nullptr, 10);
      }
    }
    return buffer_.compare(0, 12, "HTTP/1.1 200") == 0;
  }

  int socket_ = -1;
  SslPointer ssl_;
  std::string buffer_;
};

double SecondsSince(Clock::time_point start) {
  return duration_cast<duration<double>>(Clock::now() - start).count();
}

void Run(int threads, const auto& action) {
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([&action, thread] { action(thread); });
  }
  for (auto& thread : running) {
    thread.join();
  }
}

void Handshakes(const Peer& peer, double seconds, int threads, bool resume) {
  std::atomic<std::uint64_t> done = 0;
  std::atomic<std::uint64_t> resumed = 0;
  std::string agreed;
  SessionPointer session;
  {
    Connection first(peer, 0, nullptr);
    if (!first.Get("/128")) {
      Die("first request");
    }
    agreed = first.agreed();
    session = first.Session();
    first.CloseOrderly();
  }
  const auto start = Clock::now();
  Run(threads, [&](int thread) {
    while (SecondsSince(start) < seconds) {
      Connection connection(peer, thread, resume ? session.get() : nullptr);
      resumed += connection.resumed() ? 1 : 0;
      connection.CloseOrderly();
      ++done;
    }
  });
  std::printf("{\"count\": %lu, \"seconds\": %.3f, \"resumed\": %lu, \"agreed\": \"%s\"}\n",
              static_cast<unsigned long>(done), SecondsSince(start),
              static_cast<unsigned long>(resumed), agreed.c_str());
}

/// Sends at scheduled moments whatever the answers do; latency counts from the schedule.
void Rate(const Peer& peer, double seconds, int threads, double rate, const std::string& target) {
  std::vector<std::vector<double>> latencies(static_cast<std::size_t>(threads));
  std::atomic<std::uint64_t> failed = 0;
  const double interval = threads / rate;
  const auto start = Clock::now() + std::chrono::milliseconds(200);
  Run(threads, [&](int thread) {
    Connection connection(peer, thread, nullptr);
    for (int turn = 0;; ++turn) {
      const duration<double> due(interval * (turn + static_cast<double>(thread) / threads));
      if (due.count() >= seconds) {
        return;
      }
      const auto moment = start + duration_cast<Clock::duration>(due);
      std::this_thread::sleep_until(moment);
      if (!connection.Get(target)) {
        ++failed;
        return;
      }
      latencies[static_cast<std::size_t>(thread)].push_back(SecondsSince(moment) * 1e6);
    }
  });
  std::vector<double> all;
  for (const auto& part : latencies) {
    all.insert(all.end(), part.begin(), part.end());
  }
  std::sort(all.begin(), all.end());
  const auto at = [&](double share) {
    return all.empty() ? 0.0 : all[static_cast<std::size_t>(share * (all.size() - 1))];
  };
  std::printf(
      "{\"count\": %zu, \"failed\": %lu, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, "
      "\"max\": %.1f}\n",
      all.size(), static_cast<unsigned long>(failed), at(0.5), at(0.99), at(0.999), at(1.0));
}

void Idle(const Peer& peer, int connections, const std::string& target) {
  std::vector<std::unique_ptr<Connection>> open;
  for (int index = 0; index < connections; ++index) {
    open.push_back(std::make_unique<Connection>(peer, index % 64, nullptr));
    if (!open.back()->Get(target)) {
      Die("request on an idle connection");
    }
  }
  std::printf("{\"count\": %d}\n", connections);
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const rlimit files{.rlim_cur = 20000, .rlim_max = 20000};
  setrlimit(RLIMIT_NOFILE, &files);
  const std::vector<std::string> given(argv + 1, argv + argc);
  if (given.size() < 5) {
    Die("see the head of the source for the arguments");
  }
  Peer peer;
  peer.address.sin_family = AF_INET;
  inet_pton(AF_INET, given[1].c_str(), &peer.address.sin_addr);
  peer.address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(given[2])));
  peer.context = MakeContext();
  if (given[0] == "handshakes" && given.size() >= 6) {
    peer.server_name = given.size() > 6 ? given[6] : "";
    Handshakes(peer, std::stod(given[3]), std::stoi(given[4]), given[5] == "resumed");
  } else if (given[0] == "rate" && given.size() == 7) {
    Rate(peer, std::stod(given[3]), std::stoi(given[4]), std::stod(given[5]), given[6]);
  } else if (given[0] == "idle") {
    Idle(peer, std::stoi(given[3]), given[4]);
  } else {
    Die("unknown command");
  }
  return 0;
}
