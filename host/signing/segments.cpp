#include "host/signing/segments.h"

#include <algorithm>
#include <utility>

namespace rvf::signing {
namespace {

constexpr size_t kSignatureOffset = 4; ///< in a footer, behind kind u16 and length u16
constexpr size_t kSignatureBytes = std::tuple_size_v<Signature>;

using SigningInput = std::array<uint8_t, kSigningInputBytes>;

/// A segment of a file with the footer behind it.
struct Signed {
    Segment segment;
    uint64_t footer; ///< where it begins
    uint32_t footer_size;

    uint64_t signature() const { return footer + kSignatureOffset; }
    uint64_t end() const { return footer + footer_size; }
};

int32_t kind_of(Bytes file, const Signed& found) {
    return found.footer_size ? load<uint16_t>(file.data + found.footer) : -1;
}

bool all_zero(std::span<const uint8_t> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

/// Calls `use` for every segment, and `skip` for the bytes before each and behind the last.
template <typename Use, typename Skip>
void walk(Bytes file, Use use, Skip skip) {
    uint64_t offset = 0;
    Segment segment;
    while (find_segment(file, offset, segment)) {
        skip(file.part(offset, segment.offset - offset));
        Signed found{segment, segment.end(), 0};
        if (segment.complete) found.footer_size = footer_bytes(file, segment.end());
        use(found);
        offset = found.segment.complete ? found.end() : found.segment.offset + 1;
    }
    skip(file.part(offset, file.size - offset));
}

SignatureState state_of(Bytes file, const Signed& found, const PublicKey& key) {
    bool promised = file.data[found.segment.offset + kFlagsOffset] & kSignedFlag;
    int32_t kind = kind_of(file, found);
    if (kind < 0) return promised ? SignatureState::kBad : SignatureState::kAbsent;
    if (kind != kEd25519) return SignatureState::kOtherKind;
    SigningInput input;
    signing_input(file, found.segment, input.data());
    return verify(input, {file.data + found.signature(), kSignatureBytes}, key)
               ? SignatureState::kGood
               : SignatureState::kBad;
}

} // namespace

std::optional<size_t> sign_segments(std::span<uint8_t> bytes, const PrivateKey& key) {
    Bytes file = {bytes.data(), bytes.size()};
    std::vector<std::pair<uint64_t, Signature>> made;
    bool failed = false;
    walk(
        file,
        [&](const Signed& found) {
            if (kind_of(file, found) != kEd25519) return;
            if (!all_zero(bytes.subspan(found.signature(), kSignatureBytes))) return;
            SigningInput input;
            Signature signature;
            signing_input(file, found.segment, input.data());
            failed |= !sign(input, key, signature);
            made.emplace_back(found.signature(), signature);
        },
        [](Bytes) {});
    if (failed) return std::nullopt;
    for (const auto& [at, signature] : made) {
        std::copy(signature.begin(), signature.end(), bytes.begin() + static_cast<long>(at));
    }
    return made.size();
}

bool Verification::all_good() const {
    bool good = std::all_of(segments.begin(), segments.end(), [](const SegmentSignature& one) {
        return one.state == SignatureState::kGood;
    });
    return good && !segments.empty() && stray_bytes == 0;
}

Verification verify_signatures(std::span<const uint8_t> file, const PublicKey& key) {
    Bytes bytes = {file.data(), file.size()};
    Verification result = {};
    walk(
        bytes,
        [&](const Signed& found) {
            const Segment& segment = found.segment;
            result.segments.push_back(
                {segment.offset, segment.id, segment.type, state_of(bytes, found, key)});
        },
        [&](Bytes between) {
            if (!all_zero({between.data, between.size})) result.stray_bytes += between.size;
        });
    return result;
}

} // namespace rvf::signing
