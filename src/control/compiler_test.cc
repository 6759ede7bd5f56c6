// What a write changes in the snapshot, and what it shares with the one before.
#include "control/compiler.h"

#include <gtest/gtest.h>

#include "control/testing/world.h"

namespace elb::control {
namespace {

class CompilerTest : public testing::Test {
 protected:
  [[nodiscard]] std::uint64_t Generation(const std::string& listener) const {
    return world_.ListenerInForce(listener)->tls->tls_generation;
  }
  World world_;
};

TEST_F(CompilerTest, SharesWhatAWriteDidNotTouch) {
  const std::string balancer = world_.Balancer();
  const std::string certificate = world_.Certificate();
  const std::string pool = world_.Pool(balancer);
  const std::string other_pool = world_.Pool(balancer);
  const std::string listener = world_.HttpsListener(balancer, 443, certificate);
  const auto before = world_.data_plane.snapshot();

  EXPECT_TRUE(world_.Update(Resource::kPool, pool, {{"lb_algorithm", "LEAST_CONNECTIONS"}}));

  const auto after = world_.data_plane.snapshot();
  EXPECT_GT(after->generation, before->generation);
  EXPECT_NE(after->pools.at(PoolId(pool)), before->pools.at(PoolId(pool)));
  EXPECT_EQ(after->pools.at(PoolId(other_pool)), before->pools.at(PoolId(other_pool)));
  EXPECT_EQ(after->listeners.at(ListenerId(listener)), before->listeners.at(ListenerId(listener)));
  EXPECT_EQ(after->certificates.at(CertificateId(certificate)),
            before->certificates.at(CertificateId(certificate)));
}

TEST_F(CompilerTest, SharesPartsThatARenameDoesNotReach) {
  const std::string balancer = world_.Balancer();
  const std::string certificate = world_.Certificate();
  const std::string listener = world_.HttpsListener(balancer, 443, certificate);
  const auto before = world_.data_plane.snapshot();

  EXPECT_TRUE(world_.Update(Resource::kLoadBalancer, balancer, {{"name", "x"}}));
  EXPECT_TRUE(world_.Update(Resource::kListener, listener, {{"name", "x"}}));
  EXPECT_TRUE(world_.Update(Resource::kCertificate, certificate, {{"name", "x"}}));

  const auto after = world_.data_plane.snapshot();
  EXPECT_EQ(after->listeners.at(ListenerId(listener)), before->listeners.at(ListenerId(listener)));
  EXPECT_EQ(after->certificates.at(CertificateId(certificate)),
            before->certificates.at(CertificateId(certificate)));
}

TEST_F(CompilerTest, MovesListenersWithTheAddressOfTheirLoadBalancer) {
  const std::string balancer = world_.Balancer({{"vip_address", "127.20.3.1"}});
  const std::string listener = world_.Listener(balancer, 80);

  EXPECT_TRUE(world_.Update(Resource::kLoadBalancer, balancer, {{"vip_address", "127.20.3.2"}}));

  EXPECT_EQ(world_.ListenerInForce(listener)->addresses,
            std::vector{*IpAddress::Parse("127.20.3.2")});
}

TEST_F(CompilerTest, ForgetsWhatWasDeleted) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Pool(balancer);
  world_.Member(pool, "127.0.0.2");
  const std::string certificate = world_.Certificate();
  world_.HttpsListener(balancer, 443, certificate, {{"default_pool_id", pool}});

  EXPECT_TRUE(world_.Delete(Resource::kLoadBalancer, balancer, DeleteMode::kForce));
  EXPECT_TRUE(world_.Delete(Resource::kCertificate, certificate));

  EXPECT_TRUE(world_.data_plane.current().listeners.empty());
  EXPECT_TRUE(world_.data_plane.current().pools.empty());
  EXPECT_TRUE(world_.data_plane.current().certificates.empty());
}

TEST_F(CompilerTest, AttachesAPoolToWhatUsesIt) {
  const std::string balancer = world_.Balancer();
  const std::string pool = world_.Create(Resource::kPool, {{"protocol", "HTTP"},
                                                           {"lb_algorithm", "ROUND_ROBIN"},
                                                           {"type", "instance"},
                                                           {"vpc_id", world_.node.vpc_id}});
  EXPECT_FALSE(world_.PoolInForce(pool)->attached);

  const std::string listener = world_.Listener(balancer, 80, {{"default_pool_id", pool}});

  EXPECT_TRUE(world_.PoolInForce(pool)->attached);
  EXPECT_EQ(world_.PoolInForce(pool)->load_balancers, std::vector{LoadBalancerId(balancer)});
  EXPECT_EQ(world_.ListenerInForce(listener)->default_pool, PoolId(pool));
}

TEST_F(CompilerTest, LeavesOutAHealthCheckThatIsSwitchedOff) {
  const std::string pool = world_.Pool(world_.Balancer());
  const std::string monitor = world_.Monitor(pool);
  EXPECT_TRUE(world_.PoolInForce(pool)->monitor.has_value());

  EXPECT_TRUE(world_.Update(Resource::kHealthMonitor, monitor, {{"admin_state_up", false}}));

  EXPECT_FALSE(world_.PoolInForce(pool)->monitor.has_value());
}

TEST_F(CompilerTest, NumbersEditsOfAHealthCheckThatProbesFeel) {
  const std::string pool = world_.Pool(world_.Balancer());
  const std::string monitor = world_.Monitor(pool);
  const std::uint64_t first = world_.PoolInForce(pool)->monitor->revision;

  EXPECT_TRUE(world_.Update(Resource::kHealthMonitor, monitor, {{"name", "x"}}));
  EXPECT_EQ(world_.PoolInForce(pool)->monitor->revision, first);
  EXPECT_TRUE(world_.Update(Resource::kHealthMonitor, monitor, {{"url_path", "/x"}}));

  EXPECT_NE(world_.PoolInForce(pool)->monitor->revision, first);
}

// --- the TLS generation (data-plane.md 2.7) -----------------------------------------------------

class TlsGenerationTest : public CompilerTest {
 protected:
  TlsGenerationTest()
      : certificate_(world_.Certificate(0, {{"domain", "a.test"}})),
        other_(world_.Certificate(1, {{"domain", "b.test"}})),
        listener_(world_.HttpsListener(world_.Balancer(), 443, certificate_,
                                       {{"sni_container_refs", {other_}}})),
        before_(Generation(listener_)) {}

  void Edit(const Json& change) {
    EXPECT_TRUE(world_.Update(Resource::kListener, listener_, change));
  }
  [[nodiscard]] bool Changed() const { return Generation(listener_) != before_; }

  std::string certificate_;
  std::string other_;
  std::string listener_;
  std::uint64_t before_;
};

TEST_F(TlsGenerationTest, StaysWithEverythingElse) {
  Edit({{"name", "x"}, {"http2_enable", true}, {"client_timeout", 7}});
  Edit({{"sni_match_algo", "longest_suffix"}});
  EXPECT_TRUE(world_.Update(Resource::kCertificate, certificate_, {{"description", "x"}}));
  EXPECT_TRUE(world_.Update(Resource::kCertificate, certificate_, {{"domain", "other.test"}}));

  EXPECT_FALSE(Changed());
}

TEST_F(TlsGenerationTest, StaysOverARestart) {
  world_.Restart();

  EXPECT_FALSE(Changed());
}

TEST_F(TlsGenerationTest, ChangesWithTheServerCertificate) {
  Edit({{"default_tls_container_ref", other_}});

  EXPECT_TRUE(Changed());
}

TEST_F(TlsGenerationTest, ChangesWithTheContentOfTheServerCertificate) {
  EXPECT_TRUE(world_.Update(
      Resource::kCertificate, certificate_,
      {{"certificate", ServerPem(1).certificate}, {"private_key", ServerPem(1).private_key}}));

  EXPECT_TRUE(Changed());
}

TEST_F(TlsGenerationTest, ChangesWithTheSniCertificates) {
  Edit({{"sni_container_refs", Json::array()}});

  EXPECT_TRUE(Changed());
}

TEST_F(TlsGenerationTest, ChangesWithTheNamesOfAnSniCertificate) {
  EXPECT_TRUE(world_.Update(Resource::kCertificate, other_, {{"domain", "c.test"}}));

  EXPECT_TRUE(Changed());
}

TEST_F(TlsGenerationTest, ChangesWithMutualAuthentication) {
  Edit({{"client_ca_tls_container_ref", world_.Authority()}});

  EXPECT_TRUE(Changed());
}

TEST_F(TlsGenerationTest, ChangesWithTheSecurityPolicy) {
  Edit({{"tls_ciphers_policy", "tls-1-2"}});

  EXPECT_TRUE(Changed());
}

}  // namespace
}  // namespace elb::control
