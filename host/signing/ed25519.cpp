#include "host/signing/ed25519.h"

#include <openssl/evp.h>

#include <memory>

namespace rvf::signing {
namespace {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Context = std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)>;

Key private_key(const PrivateKey& key) {
    return {EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()),
            EVP_PKEY_free};
}

Context new_context() { return {EVP_MD_CTX_new(), EVP_MD_CTX_free}; }

} // namespace

bool public_key_of(const PrivateKey& key, PublicKey& out) {
    Key pair = private_key(key);
    size_t size = out.size();
    return pair && EVP_PKEY_get_raw_public_key(pair.get(), out.data(), &size) == 1 &&
           size == out.size();
}

bool sign(std::span<const uint8_t> message, const PrivateKey& key, Signature& out) {
    Key pair = private_key(key);
    Context context = new_context();
    size_t size = out.size();
    return pair && context &&
           EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, pair.get()) == 1 &&
           EVP_DigestSign(context.get(), out.data(), &size, message.data(), message.size()) == 1 &&
           size == out.size();
}

bool verify(std::span<const uint8_t> message, std::span<const uint8_t> signature,
            const PublicKey& key) {
    Key pair = {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()),
                EVP_PKEY_free};
    Context context = new_context();
    return pair && context &&
           EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pair.get()) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
}

} // namespace rvf::signing
