// A store whose host signs its commits, and the bytes that signatures are made of by a second way.
#pragma once

#include <openssl/evp.h>

#include "host/signing/segments.h"
#include "tests/unit/file_host.h"
#include "tests/unit/rvf_file.h"

namespace rvf::test {

inline constexpr signing::PrivateKey kKey = {1, 2, 3, 4, 5, 6, 7, 8, 9};
inline constexpr signing::PrivateKey kOtherKey = {9, 9, 9};

inline signing::PublicKey public_key(const signing::PrivateKey& key = kKey) {
    signing::PublicKey out = {};
    signing::public_key_of(key, out);
    return out;
}

inline signing::Verification verify(const Buffer& file, const signing::PrivateKey& key = kKey) {
    return signing::verify_signatures(file, public_key(key));
}

/// Docs/format.md, "Signatures", with OpenSSL's SHAKE-256.
inline Buffer signing_input_of(const Buffer& file, size_t offset) {
    constexpr char context[] = "RVF-v1-segment";
    const uint8_t* header = file.data() + offset;
    Buffer input(header, header + 56);
    input.insert(input.end(), context, context + 14);
    input.insert(input.end(), header + 8, header + 16);
    uint8_t digest[16];
    EVP_MD_CTX* shake = EVP_MD_CTX_new();
    EVP_DigestInit_ex(shake, EVP_shake256(), nullptr);
    EVP_DigestUpdate(shake, header + kHeaderBytes, get<uint64_t>(file, offset + 16));
    EVP_DigestFinalXOF(shake, digest, sizeof(digest));
    EVP_MD_CTX_free(shake);
    input.insert(input.end(), digest, digest + sizeof(digest));
    return input;
}

struct SignedStore {
    StoreHandle store{2, kL2};
    FileHost file = {};

    int32_t commit(uint32_t flags = 0, const signing::PrivateKey& key = kKey) {
        return file.commit(store, flags, kEd25519, [&](std::span<uint8_t> pending) {
            signing::sign_segments(pending, key);
        });
    }

    int32_t embed(uint8_t type, const Buffer& payload) {
        return rvf_store_embed(store, type, address(payload.data()), payload.size());
    }
};

/// Two commits with vectors, a deletion and a segment of a type that nobody knows.
inline void fill(SignedStore& one) {
    ingest(one.store, {1, 2}, {1, 2, 3, 4});
    one.embed(0xF5, {'k', 'e', 'p', 't'});
    one.commit();
    remove_ids(one.store, {1});
    ingest(one.store, {3}, {5, 6});
    one.commit();
}

} // namespace rvf::test
