// The content hashes of every writer, against published vectors.
#include "control/content_hash.h"

#include <gtest/gtest.h>

#include <string>

#include "control/sha256.h"
#include "control/shake256.h"
#include "control/xxh3.h"
#include "tests/unit/rvf_file.h"

namespace rvf {
namespace {

using test::Buffer;

Buffer text(const std::string& characters) { return {characters.begin(), characters.end()}; }

Bytes view(const Buffer& bytes) { return {bytes.data(), bytes.size()}; }

std::string hex(const Buffer& bytes) {
    std::string digits;
    for (uint8_t byte : bytes) {
        digits += "0123456789abcdef"[byte >> 4];
        digits += "0123456789abcdef"[byte & 15];
    }
    return digits;
}

std::string sha256_of(const Buffer& message) {
    Buffer digest(32);
    sha256(view(message), digest.data());
    return hex(digest);
}

std::string shake256_of(const Buffer& message, size_t size) {
    Buffer digest(size);
    shake256(view(message), digest.data(), size);
    return hex(digest);
}

// FIPS 180-4 examples, and the million letters of its first edition.
TEST(Sha256, PublishedVectors) {
    EXPECT_EQ(sha256_of({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_of(text("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_of(text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(sha256_of(Buffer(1'000'000, 'a')),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// FIPS 202 examples; "abc" also stands in docs/format.md.
TEST(Shake256, PublishedVectors) {
    EXPECT_EQ(shake256_of({}, 32),
              "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f");
    EXPECT_EQ(shake256_of(text("abc"), 32),
              "483366601360a8771c6863080cc4114d8db44530f8f1e1ee4f94ea37e78b5739");
    EXPECT_EQ(shake256_of(Buffer(200, 0xA3), 32),
              "cd8a920ed141aa0407a22d59288652e9d9f1a7ee0c1e7c1ca699424da84a904d");
}

TEST(Shake256, LongerOutputBeginsWithTheShorterOne) {
    std::string longest = shake256_of(text("abc"), 400);
    for (size_t size : {0u, 1u, 16u, 135u, 136u, 137u, 272u, 399u}) {
        EXPECT_EQ(shake256_of(text("abc"), size), longest.substr(0, 2 * size)) << size;
    }
}

std::string xxh3_of(const Buffer& message) {
    Buffer digest(16);
    xxh3_128(view(message), digest.data());
    std::reverse(digest.begin(), digest.end()); // xxHash prints the number
    return hex(digest);
}

// Computed with libxxhash 0.8.1.
const std::pair<size_t, const char*> kXxh3[] = {
    {1, "a6cd5e9392000f6ac44bdff4074eecdb"},    {2, "6a4a5274c1b0d3add6645fc3051a9457"},
    {3, "e3b55f57945a17cf5f4299fc161c9cbb"},    {4, "eb70bf5fc779e9e6a6111d53e80a3db5"},
    {7, "61ce291bc3a4357ddbb207821e6d5efe"},    {8, "e1e4432a62217fe4cfd50c61c8bb98c1"},
    {9, "16c769d83e4aebce907931979dca3746"},    {15, "301a9f754e8f569a0017ea4be19bc787"},
    {16, "72950631827607e2842812cc870dcae2"},   {17, "685bc458b37d057fc06e233df7729217"},
    {31, "4ed3946d393b687bb54de3993874ed20"},   {32, "25e7c9b3424ceed2457d9566b6fcd697"},
    {33, "02175c3aabb00637e08d84951339de86"},   {63, "bb8d4c458fac1f120302a39b74a9cf52"},
    {64, "9c6e140a465545e590c1971ddb04ce74"},   {65, "ebedf05eeadc28f11aee64a1615de88f"},
    {96, "c57556e9ccb97efa6e53ab55b4f5558b"},   {97, "9b09227e063da5a25b3284a61f91e97d"},
    {127, "d5add870c9c9e00f060c2e3ddf0f2fb9"},  {128, "14792fc3af88dc6c05321a0b64d67b41"},
    {129, "dd5e74ac6b45f54ebc30b63382b09a3b"},  {144, "2615894ae020ac91582a8a72e9d47a4d"},
    {239, "9843ab31a06be0dffe21374628fcc539"},  {240, "65b5be86da5540e7c92b68e16f83bbb6"},
    {241, "1da1cb61bcb8a2a102e8cd95421c6d02"},  {255, "65652759c081c563074191baf9c49567"},
    {256, "96c36c85d00e5bc544f5d90dacde463a"},  {257, "8c650dc0594ae28188fc3f7934a6c9be"},
    {511, "e8d4474ecc01a76b455cffca2755aa1e"},  {512, "5884ea91ad7102d75c021aac13954143"},
    {1023, "4325711b0ed4d742d3d91d80ac495685"}, {1024, "d0ac1f7b93bf57b9e5d78bafa45b2aa5"},
    {1025, "2882ebca04ec915ce95c42288f28186e"}, {1087, "4139a4f49a2c6118fd3c95bb928139ce"},
    {1088, "295519bc52981c5c1a848d807034c403"}, {1089, "bd054149e0f6660ea51e35ec282cb1d8"},
    {2047, "6c555bf670e067a3c95eaacd676cd049"}, {2048, "a5141efedfefc1af25339063db861586"},
    {2049, "39a54bc93f74921b6c9600c0e506e2ae"}, {5000, "b92ec02c39d33ce7b418500fc42320ee"},
};

// Every boundary of a length class and of a block or stripe, of the bytes 0, 1, 2 ... modulo 251.
TEST(Xxh3, AgreesWithTheReferenceAtEveryBoundary) {
    for (auto [size, expected] : kXxh3) {
        Buffer message(size);
        for (size_t i = 0; i < size; ++i) message[i] = static_cast<uint8_t>(i % 251);
        auto exact = test::exact_copy(message);
        Buffer digest(16);
        xxh3_128({exact.get(), size}, digest.data());
        std::reverse(digest.begin(), digest.end());
        EXPECT_EQ(hex(digest), expected) << size;
    }
}

TEST(Xxh3, OfNothing) { EXPECT_EQ(xxh3_of({}), "99aa06d3014798d86001c324468d497f"); }

/// The vectors of docs/format.md for the hash that upstream's runtime writes.
TEST(ContentHash, WritesTheRotatedCrc) {
    Buffer ascending(64);
    for (size_t i = 0; i < 64; ++i) ascending[i] = static_cast<uint8_t>(i);
    const std::pair<Buffer, std::string> vectors[] = {
        {{}, "00000000000000000000000000000000"},
        {text("abc"), "c241243535c241242435c241412435c2"},
        {text("123456789"), "2639f4cbcb2639f4f4cb263939f4cb26"},
        {ascending, "8cce0e10108cce0e0e108ccece0e108c"}};
    for (const auto& [payload, expected] : vectors) {
        Buffer hash(16);
        write_content_hash(hash.data(), view(payload));
        EXPECT_EQ(hex(hash), expected);
    }
}

Buffer first_sixteen(void (*digest)(Bytes, uint8_t*), const Buffer& payload) {
    Buffer hash(32);
    digest(view(payload), hash.data());
    hash.resize(16);
    return hash;
}

TEST(ContentHash, OfEveryWriterIsGood) {
    const Buffer payload = text("any payload");
    const Buffer hashes[] = {
        first_sixteen([](Bytes p, uint8_t* out) { write_content_hash(out, p); }, payload),
        first_sixteen([](Bytes p, uint8_t* out) { xxh3_128(p, out); }, payload),
        first_sixteen([](Bytes p, uint8_t* out) { shake256(p, out, 16); }, payload),
        first_sixteen([](Bytes p, uint8_t* out) { sha256(p, out); }, payload)};
    for (const Buffer& hash : hashes) {
        EXPECT_EQ(check_content_hash(hash.data(), view(payload)), HashState::kGood);
        for (size_t bit = 0; bit < 128; ++bit) {
            Buffer damaged = hash;
            damaged[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
            ASSERT_EQ(check_content_hash(damaged.data(), view(payload)), HashState::kBad);
        }
    }
}

TEST(ContentHash, OfSixteenZerosIsAbsent) {
    EXPECT_EQ(check_content_hash(Buffer(16).data(), view(text("any payload"))), HashState::kAbsent);
}

} // namespace
} // namespace rvf
