// Ed25519 (RFC 8032) by OpenSSL: keys and signatures as raw bytes.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace rvf::signing {

using PrivateKey = std::array<uint8_t, 32>; ///< the seed of RFC 8032
using PublicKey = std::array<uint8_t, 32>;
using Signature = std::array<uint8_t, 64>;

/// The public key of a private one; false when OpenSSL fails.
bool public_key_of(const PrivateKey& key, PublicKey& out);

/// Signs a message; false when OpenSSL fails.
bool sign(std::span<const uint8_t> message, const PrivateKey& key, Signature& out);

/// Whether `signature`, 64 bytes, is that of the message. Also false when OpenSSL fails.
bool verify(std::span<const uint8_t> message, std::span<const uint8_t> signature,
            const PublicKey& key);

} // namespace rvf::signing
