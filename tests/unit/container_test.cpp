// Containers: KERNEL, EBPF, WASM and DASHBOARD payloads, which are checked when they are embedded
// and when they are taken out.
#include <gtest/gtest.h>

#include "tests/unit/fixture.h"
#include "tests/unit/model.h"

namespace rvf {
namespace {

using test::Buffer;
using test::embed;
using test::fixture;
using test::from_hex;
using test::kept_of;
using test::StoreHandle;

/// Layouts as docs/format.md has them.
struct Layout {
    uint8_t type;
    uint32_t magic;
    size_t header;
    size_t size_at; ///< of the image
    size_t size_bytes;
    size_t hash_at;
    uint64_t limit;
};

const std::vector<Layout> kLayouts = {
    {0x0E, 0x52564B4E, 128, 0x18, 8, 0x30, 128u << 20},
    {0x0F, 0x52564250, 64, 0x10, 8, 0x20, 16u << 20},
    {0x10, 0x5256574D, 64, 0x0C, 4, 0x18, 8u << 20},
    {0x11, 0x52564442, 64, 0x08, 8, 0x20, 64u << 20},
};

void set_size(Buffer& payload, const Layout& layout, uint64_t size) {
    if (layout.size_bytes == 4)
        test::set(payload, layout.size_at, static_cast<uint32_t>(size));
    else
        test::set(payload, layout.size_at, size);
}

Buffer container(const Layout& layout, const Buffer& image) {
    Buffer payload(layout.header);
    test::set(payload, 0, layout.magic);
    payload[4] = 1;
    set_size(payload, layout, image.size());
    Buffer hash = test::simple_hash(image.data(), image.size());
    std::copy(hash.begin(), hash.end(), payload.begin() + static_cast<long>(layout.hash_at));
    test::append(payload, image);
    return payload;
}

int32_t embed_into_new(uint8_t type, const Buffer& payload) {
    StoreHandle store(1, kL2);
    int32_t answer = embed(store, type, payload);
    EXPECT_EQ(kept_of(store).size(), answer > 0 ? 1u : 0u);
    return answer;
}

TEST(Container, OfEachTypeIsEmbeddedAndComesOutOfTheFile) {
    StoreHandle store(1, kL2);
    Buffer file;
    for (const Layout& layout : kLayouts) { // several of each
        ASSERT_GT(embed(store, layout.type, container(layout, {1, 2, 3})), 0);
        ASSERT_GT(embed(store, layout.type, container(layout, {})), 0);
    }
    ASSERT_EQ(test::save(store, file), 1);
    StoreHandle copy(test::open_file(file));
    EXPECT_TRUE(same(test::model_of(copy), test::model_of(store)));
    for (const test::KeptInfo& kept : kept_of(copy)) EXPECT_EQ(kept.status, 0);
}

TEST(Container, ThatIsNotSoundIsRefused) {
    for (const Layout& layout : kLayouts) {
        const Buffer sound = container(layout, Buffer(20, 0x77));
        ASSERT_GT(embed_into_new(layout.type, sound), 0);
        Buffer magic = sound, version = sound, cut = sound, header = sound, hash = sound,
               image = sound, large = sound, longer = sound;
        magic[0] ^= 1;
        version[4] = 2;
        cut.pop_back();
        header.resize(layout.header - 1);
        hash[layout.hash_at] ^= 1;
        image.back() ^= 1;
        set_size(large, layout, layout.limit + 1);
        set_size(longer, layout, 21);
        EXPECT_EQ(embed_into_new(layout.type, magic), kInvalidMagic);
        EXPECT_EQ(embed_into_new(layout.type, version), kInvalidVersion);
        EXPECT_EQ(embed_into_new(layout.type, cut), kTruncatedSegment);
        EXPECT_EQ(embed_into_new(layout.type, header), kTruncatedSegment);
        EXPECT_EQ(embed_into_new(layout.type, hash), kInvalidChecksum);
        EXPECT_EQ(embed_into_new(layout.type, image), kInvalidChecksum);
        EXPECT_EQ(embed_into_new(layout.type, large), kSegmentTooLarge);
        EXPECT_EQ(embed_into_new(layout.type, longer), kTruncatedSegment);
    }
}

TEST(Container, MayHaveAShake256HashOrNone) {
    for (const Layout& layout : kLayouts) {
        Buffer payload = container(layout, test::bytes_of("abc"));
        auto hash = payload.begin() + static_cast<long>(layout.hash_at);
        Buffer shake = from_hex("483366601360a8771c6863080cc4114d8db44530f8f1e1ee4f94ea37e78b5739");
        std::copy(shake.begin(), shake.end(), hash);
        EXPECT_GT(embed_into_new(layout.type, payload), 0);
        std::fill(hash, hash + 32, 0);
        EXPECT_GT(embed_into_new(layout.type, payload), 0);
    }
}

TEST(Container, OfAKernelHasItsCommandLineInside) {
    const Layout& kernel = kLayouts[0];
    Buffer behind = container(kernel, {1, 2, 3});
    test::set(behind, 0x70, uint64_t{128});
    test::set(behind, 0x78, uint32_t{4});
    EXPECT_EQ(embed_into_new(kernel.type, behind), kTruncatedSegment);
    test::append(behind, test::bytes_of("quie"));
    EXPECT_GT(embed_into_new(kernel.type, behind), 0);

    // With a binding of 128 bytes the command line comes before the image.
    Buffer bound = container(kernel, {});
    test::append(bound, Buffer(128));
    test::append(bound, test::bytes_of("quie"));
    test::append(bound, {1, 2, 3});
    test::set(bound, 0x18, uint64_t{3});
    test::set(bound, 0x70, uint64_t{256});
    test::set(bound, 0x78, uint32_t{4});
    Buffer hash = test::simple_hash(bound.data() + bound.size() - 3, 3);
    std::copy(hash.begin(), hash.end(), bound.begin() + 0x30);
    EXPECT_GT(embed_into_new(kernel.type, bound), 0);
    bound.pop_back();
    EXPECT_EQ(embed_into_new(kernel.type, bound), kTruncatedSegment);
}

TEST(Container, OfUpstreamIsSound) {
    size_t containers = 0;
    for (const char* name :
         {"security_hardened.rvf", "made_kernel.rvf", "made_kernel_two_nocmd.rvf", "made_ebpf.rvf",
          "made_kernel_ebpf_compacted.rvf", "self_booting.rvf", "linux_microkernel.rvf"}) {
        StoreHandle store(test::open_file(fixture(name)));
        ASSERT_GT(store, 0) << name;
        for (const test::KeptInfo& kept : kept_of(store)) {
            if (kept.type < 0x0E || kept.type > 0x11) continue;
            EXPECT_EQ(kept.status, 0) << name << " " << +kept.type;
            ++containers;
        }
    }
    EXPECT_GE(containers, 10u);
}

TEST(Container, ThatIsDamagedInAFileSaysSo) {
    StoreHandle store(test::open_file(fixture("damaged_kernel_payload.rvf")));
    ASSERT_GT(store, 0);
    int damaged = 0;
    for (const test::KeptInfo& kept : kept_of(store)) damaged += kept.status == kInvalidChecksum;
    EXPECT_EQ(damaged, 1);
}

TEST(Embed, TakesOnlyTypesThatTheModuleDoesNotWrite) {
    StoreHandle store(1, kL2);
    for (int32_t type : {-1, 0, 1, 2, 4, 5, 0x20, 0x21, 0x22, 256}) {
        uint8_t byte = 1;
        EXPECT_EQ(rvf_store_embed(store, type, test::address(&byte), 1), kInvalidArgument) << type;
    }
    Buffer ours = test::bytes_of("RVMD");
    ours.resize(8);
    EXPECT_EQ(embed(store, test::kMeta, ours), kInvalidArgument);
    for (uint8_t type : Buffer{3, 6, 7, 0x0A, 0x0B, 0x0C, 0x23, 0x30, 0xFF}) {
        EXPECT_GT(embed(store, type, {1, 2, 3}), 0) << +type;
    }
}

} // namespace
} // namespace rvf
