// signing_peer write KEY | room | verify PUBLIC_KEY
//
// The native half of cross.test.mjs. `write` answers a file on standard output whose commits are
// signed with the key, 32 bytes as hex; `room` the same file with empty footers; `verify` reads a
// file from standard input and answers the state of each segment, a letter each: g, b, a or o.
#include <cstdio>
#include <cstring>
#include <string>

#include "tests/signing/support.h"

namespace rvf::test {
namespace {

using Key = std::array<uint8_t, 32>;

Key key_of(const char* hex) {
    Key key = {};
    for (size_t i = 0; i < key.size() && std::strlen(hex) >= 2 * key.size(); ++i) {
        key[i] = static_cast<uint8_t>(std::stoi(std::string(hex + 2 * i, 2), nullptr, 16));
    }
    return key;
}

int write_file(const FileHost::Sign& sign) {
    StoreHandle store(3, kCosine);
    FileHost file;
    const Buffer unknown = {'k', 'e', 'p', 't'};
    ingest(store, {1, ~0ull}, {1, 2, 3, 4, 5, 6});
    rvf_store_embed(store, 0xF5, address(unknown.data()), unknown.size());
    file.commit(store, 0, kEd25519, sign);
    remove_ids(store, {1});
    file.commit(store, 0, kEd25519, sign);
    return std::fwrite(file.bytes.data(), 1, file.bytes.size(), stdout) == file.bytes.size() ? 0
                                                                                             : 1;
}

int verify_file(const Key& key) {
    Buffer file;
    for (int byte = std::getchar(); byte != EOF; byte = std::getchar()) {
        file.push_back(static_cast<uint8_t>(byte));
    }
    signing::Verification result = signing::verify_signatures(file, key);
    for (const signing::SegmentSignature& one : result.segments) {
        std::putchar("agbo"[static_cast<int>(one.state)]);
    }
    std::printf(" %llu\n", static_cast<unsigned long long>(result.stray_bytes));
    return 0;
}

} // namespace
} // namespace rvf::test

int main(int count, char** words) {
    using namespace rvf::test;
    std::string what = count > 1 ? words[1] : "";
    Key key = key_of(count > 2 ? words[2] : "");
    if (what == "write") {
        return write_file(
            [&](std::span<uint8_t> bytes) { rvf::signing::sign_segments(bytes, key); });
    }
    if (what == "room") return write_file({});
    if (what == "verify") return verify_file(key);
    std::fputs("signing_peer write KEY | room | verify PUBLIC_KEY\n", stderr);
    return 2;
}
