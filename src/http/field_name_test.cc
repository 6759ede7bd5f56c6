#include "http/field_name.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>

namespace elb::http {
namespace {

constexpr auto kCount = static_cast<std::size_t>(FieldName::kCount);

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::ranges::transform(upper, upper.begin(), [](unsigned char letter) {
    return static_cast<char>(std::toupper(letter));
  });
  return upper;
}

TEST(FieldNameTest, FindsEveryNameInAnyCase) {
  for (std::size_t i = 1; i < kCount; ++i) {
    const auto name = static_cast<FieldName>(i);
    const std::string text(FieldNameText(name));
    std::string lower = text;
    std::ranges::transform(lower, lower.begin(), [](unsigned char letter) {
      return static_cast<char>(std::tolower(letter));
    });

    EXPECT_FALSE(text.empty());
    EXPECT_EQ(InternFieldName(text), name) << text;
    EXPECT_EQ(InternFieldName(lower), name) << lower;
    EXPECT_EQ(InternFieldName(Upper(text)), name) << text;
  }
}

TEST(FieldNameTest, SpellsNamesCanonically) {
  EXPECT_EQ(FieldNameText(FieldName::kHost), "Host");
  EXPECT_EQ(FieldNameText(FieldName::kXForwardedElbIp), "X-Forwarded-ELB-IP");
  EXPECT_EQ(FieldNameText(FieldName::kXRequestId), "X-Request-Id");
  EXPECT_EQ(FieldNameText(FieldName::kOther), "");
}

TEST(FieldNameTest, DoesNotFindANameWithOneByteChanged) {
  for (std::size_t i = 1; i < kCount; ++i) {
    const std::string text(FieldNameText(static_cast<FieldName>(i)));
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string changed = text;
        changed[at] = static_cast<char>(byte);
        if (Upper(changed) != Upper(text)) {
          EXPECT_NE(InternFieldName(changed), static_cast<FieldName>(i)) << text << " " << byte;
        }
      }
    }
  }
}

TEST(FieldNameTest, DoesNotFindBeginningsExtensionsOrNothing) {
  EXPECT_EQ(InternFieldName(""), FieldName::kOther);
  EXPECT_EQ(InternFieldName("Hos"), FieldName::kOther);
  EXPECT_EQ(InternFieldName("Hosts"), FieldName::kOther);
  EXPECT_EQ(InternFieldName("Content-Lengt"), FieldName::kOther);
  EXPECT_EQ(InternFieldName("X-Forwarded-For-"), FieldName::kOther);
  EXPECT_EQ(InternFieldName(std::string(5000, 'x')), FieldName::kOther);
}

TEST(FieldNameTest, SeesManagedNamesBehindUnderscores) {
  for (const char* name :
       {"X_Forwarded_For", "x_forwarded-for", "X-Forwarded_For", "X_REAL_IP", "Content_Length",
        "content_length", "Transfer_Encoding", "Keep_Alive", "Proxy_Connection", "HTTP2_Settings",
        "X_Forwarded_Clientcert_subjectdn", "X-Forwarded-Clientcert_end", "X_Forwarded_Tls_Sni"}) {
    EXPECT_TRUE(IsDisguisedManagedName(name)) << name;
  }
}

TEST(FieldNameTest, LeavesOtherNamesWithUnderscoresAlone) {
  for (const char* name : {"X_Custom", "_", "Host_", "Content_Type", "User_Agent", "X_Request_Id",
                           "Content-Length", "X-Forwarded-For", "", "Content__Length"}) {
    EXPECT_FALSE(IsDisguisedManagedName(name)) << name;
  }
  EXPECT_FALSE(IsDisguisedManagedName(std::string(70, '_')));
}

}  // namespace
}  // namespace elb::http
