#include "tls/testing/openssl_client.h"

#include <openssl/err.h>

#include <array>

namespace elb::tls::testing {
namespace {

void SetAlpn(SSL_CTX* context, const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& protocol : protocols) {
    list += static_cast<char>(protocol.size());
    list += protocol;
  }
  if (!list.empty()) {
    SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(list.data()),
                            static_cast<unsigned>(list.size()));
  }
}

}  // namespace

OpenSslClient::OpenSslClient(const ClientOptions& options)
    : context_(SSL_CTX_new(TLS_client_method())) {
  SSL_CTX* context = context_.get();
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_min_proto_version(context, options.version_min);
  SSL_CTX_set_max_proto_version(context, options.version_max);
  SSL_CTX_set_cipher_list(context, options.ciphers.empty() ? "ALL:eNULL" : options.ciphers.c_str());
  if (!options.suites13.empty()) {
    SSL_CTX_set_ciphersuites(context, options.suites13.c_str());
  }
  if (!options.signature_algorithms.empty()) {
    SSL_CTX_set1_sigalgs_list(context, options.signature_algorithms.c_str());
  }
  if (!options.groups.empty()) {
    SSL_CTX_set1_groups_list(context, options.groups.c_str());
  }
  SetAlpn(context, options.alpn);
  if (options.certificate != nullptr) {
    SSL_CTX_use_cert_and_key(context, options.certificate->certificate.get(),
                             options.certificate->key.get(), nullptr, 1);
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
  SSL_CTX_sess_set_new_cb(context, &OpenSslClient::OnSession);
  SSL_CTX_set_info_callback(context, &OpenSslClient::OnInfo);
  ssl_.reset(SSL_new(context));
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  if (!options.sni.empty()) {
    SSL_set_tlsext_host_name(ssl_.get(), options.sni.c_str());
  }
  if (options.session != nullptr) {
    // A copy, since OpenSSL spoils a session for which it gets a newer ticket.
    const SessionPointer copy(SSL_SESSION_dup(options.session));
    SSL_set_session(ssl_.get(), copy.get());
  }
  SSL_set_connect_state(ssl_.get());
}

OpenSslClient::~OpenSslClient() {
  // OpenSSL takes a connection without an orderly end for a reason not to resume its session.
  SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

void OpenSslClient::Step() {
  ERR_clear_error();
  if (!established()) {
    SSL_do_handshake(ssl_.get());
  }
  std::array<char, 65536> buffer{};
  while (established()) {
    std::size_t count = 0;
    const int result = SSL_read_ex(ssl_.get(), buffer.data(), buffer.size(), &count);
    if (result != 1) {
      closed_ = SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN;
      break;
    }
    received_.append(buffer.data(), count);
  }
  ERR_clear_error();
}

void OpenSslClient::Feed(std::string_view bytes) {
  if (!bytes.empty()) {
    BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
  }
}

std::string OpenSslClient::TakeOutput() {
  std::string output(BIO_ctrl_pending(SSL_get_wbio(ssl_.get())), '\0');
  if (!output.empty()) {
    BIO_read(SSL_get_wbio(ssl_.get()), output.data(), static_cast<int>(output.size()));
  }
  return output;
}

void OpenSslClient::Send(std::string_view plain) {
  std::size_t count = 0;
  SSL_write_ex(ssl_.get(), plain.data(), plain.size(), &count);
}

std::string OpenSslClient::ServerName() const {
  const crypto::X509Pointer certificate(SSL_get1_peer_certificate(ssl_.get()));
  std::array<char, 128> name{};
  if (certificate != nullptr) {
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name.data(),
                              name.size());
  }
  return name.data();
}

std::size_t OpenSslClient::chain_size() const {
  return static_cast<std::size_t>(sk_X509_num(SSL_get_peer_cert_chain(ssl_.get())));
}

void OpenSslClient::OnInfo(const SSL* ssl, int where, int value) {
  auto* client = static_cast<OpenSslClient*>(SSL_get_app_data(ssl));
  if (where == SSL_CB_READ_ALERT) {
    if (value >> 8 == SSL3_AL_FATAL) {
      client->alert_ = value & 0xff;
    } else {
      client->warnings_.push_back(value & 0xff);
    }
  }
}

int OpenSslClient::OnSession(SSL* ssl, SSL_SESSION* session) {
  auto* client = static_cast<OpenSslClient*>(SSL_get_app_data(ssl));
  client->session_.reset(session);
  ++client->tickets_;
  return 1;
}

}  // namespace elb::tls::testing
