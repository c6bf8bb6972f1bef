// fuzz_seeds CORPUS: writes small inputs of every kind for the fuzzers of the store, one file each,
// into the folders of tests/fuzz/corpus. The messages for kernel_fuzzer are from write-seeds.mjs.
#include <fstream>
#include <string>

#include "control/index.h"
#include "control/signature.h"
#include "tests/fuzz/index_input.h"
#include "tests/fuzz/mutate.h"
#include "tests/unit/file_host.h"

namespace rvf::test {
namespace {

std::string corpus;

void write(const std::string& name, const Buffer& input) {
    std::ofstream file(corpus + "/" + name, std::ios::binary);
    file.write(reinterpret_cast<const char*>(input.data()),
               static_cast<std::streamsize>(input.size()));
    if (!file) std::exit(1);
}

/// For the open fuzzer a file; for the witness fuzzer one to inspect.
void write_file(const std::string& name, const Buffer& file, const Buffer& parent = {}) {
    Buffer input = file;
    if (!parent.empty()) {
        append(input, parent);
        put(input, static_cast<uint16_t>(parent.size()));
        put(input, uint32_t{0x544E5250});
    }
    write("open/seed-" + name, input);
    Buffer inspected = {0};
    append(inspected, file);
    write("witness/seed-file-" + name, inspected);
}

// --- Files of a store ---

Buffer image_payload(uint8_t type) {
    const uint32_t magics[] = {0x52564B4E, 0x52564250, 0x5256574D, 0x52564442};
    const size_t headers[] = {128, 64, 64, 64}, sizes[] = {0x18, 0x10, 0x0C, 0x08},
                 hashes[] = {0x30, 0x20, 0x18, 0x20};
    size_t index = type - 0x0Eu;
    Buffer image(8, type), payload(headers[index]);
    set(payload, 0, magics[index]);
    set(payload, 4, uint16_t{1});
    set(payload, sizes[index], static_cast<uint32_t>(image.size()));
    Buffer hash = simple_hash(image.data(), image.size());
    std::copy(hash.begin(), hash.end(), payload.begin() + static_cast<long>(hashes[index]));
    append(payload, image);
    return payload;
}

void embed(int32_t store, uint8_t type, const Buffer& payload) {
    if (rvf_store_embed(store, type, address(payload.data()), payload.size()) < 0) std::exit(1);
}

void set_id(int32_t store, uint8_t byte) {
    Buffer id(16, byte);
    rvf_store_set_file_id(store, address(id.data()));
}

/// Three commits with metadata and a deletion.
struct Grown {
    StoreHandle store{2, kCosine};
    FileHost file = {};
    Random random{7};

    explicit Grown(int32_t signature = -1) {
        set_id(store, 1);
        for (uint64_t id = 0; id < 6; ++id) {
            ingest(store, {id * id}, {static_cast<float>(id), 1});
            set_metadata(id * id);
            if (id % 2) file.commit(store, 0, signature);
        }
        remove_ids(store, {4});
        file.commit(store, 0, signature);
    }

    void set_metadata(uint64_t id) {
        Buffer entries = random_entries(random);
        if (entries.empty()) return;
        rvf_store_set_metadata(store, id == 25 ? 0 : address(&id), address(entries.data()),
                               entries.size());
    }
};

void write_files() {
    Grown grown;
    write_file("grown", grown.file.bytes);
    write_file("exported", export_file(grown.store));
    write_file("signed", Grown(kEd25519).file.bytes);
    for (uint8_t type = 0x0E; type <= 0x11; ++type) embed(grown.store, type, image_payload(type));
    embed(grown.store, 0xF0, {1, 2, 3});
    embed(grown.store, kMeta, {'{', '}'});
    grown.file.commit(grown.store);
    write_file("containers", grown.file.bytes);
    grown.file.commit(grown.store, kCompact);
    write_file("compacted", grown.file.bytes);
    rvf_store_freeze(grown.store);
    grown.file.commit(grown.store);
    write_file("frozen", grown.file.bytes);
    Buffer torn = Grown().file.bytes;
    torn.resize(torn.size() - 30);
    write_file("torn", torn);
}

void write_children() {
    Grown parent;
    const Buffer id(16, 2);
    const Buffer& bytes = parent.file.bytes;
    StoreHandle child(
        rvf_store_derive(parent.store, 5, address(id.data()), address(bytes.data()), bytes.size()));
    ingest(child, {1}, {1, 2});
    FileHost derived;
    derived.commit(child);
    write_file("derived", derived.bytes);
    for (bool far : {false, true}) { // a membership with a bitmap, and without one
        if (far) ingest(parent.store, {1ull << 60}, {1, 2});
        parent.file.commit(parent.store, kCompact);
        StoreHandle branch(rvf_store_branch(parent.store, address(id.data()), address(bytes.data()),
                                            bytes.size(), address("p"), 1));
        FileHost file;
        file.commit(branch);
        remove_ids(branch, {9});
        ingest(branch, {1, 77}, {5, 5, 6, 6});
        file.commit(branch);
        write_file(far ? "branch-far" : "branch", file.bytes, bytes);
        ingest(parent.store, {2}, {7, 7});
        parent.file.commit(parent.store);
        write_file(far ? "branch-far-later" : "branch-later", file.bytes, bytes);
    }
}

// --- Other inputs of the witness fuzzer ---

Buffer input_of(std::initializer_list<uint8_t> head, const Buffer& payload) {
    Buffer input(head);
    append(input, payload);
    return input;
}

void write_witness_inputs() {
    Buffer chain;
    for (uint8_t i = 0; i < 4; ++i) {
        Buffer action(32, i), entry(73);
        rvf_witness_entry(address(chain.data()), chain.size(), address(action.data()), kTime, i,
                          address(entry.data()));
        append(chain, entry);
    }
    write("witness/seed-chain", input_of({1}, chain));
    for (uint8_t type = 0x0E; type <= 0x11; ++type) {
        write("witness/seed-image-" + std::to_string(type),
              input_of({2, type}, image_payload(type)));
    }
    write("witness/seed-chain-embedded", input_of({2, kWitness}, chain));
    Random random(3);
    write("witness/seed-delta", input_of({3, 0}, random_record(0x23, random)));
    write("witness/seed-refcount", input_of({3, 1}, random_record(0x21, random)));
    Buffer map = cow_map_payload({});
    write("witness/seed-branch", input_of({4, 3, static_cast<uint8_t>(map.size())}, [&] {
              Buffer both = map;
              append(both, membership_payload(24, {0xFF, 0x0F, 0x55}));
              return both;
          }()));
}

// --- Filters and programs of metadata ---

void write_filters() {
    const Buffer eight = {0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0}; // u64 1
    for (uint8_t operation = 0; operation < 8; ++operation) {
        Buffer filter = {0, operation, 0, 0};
        if (operation == 6) put(filter, uint32_t{2});
        append(filter, eight);
        if (operation > 5) append(filter, eight);
        write("filter/seed-" + std::to_string(operation), filter);
        filter.push_back(0x12);
        write("filter/seed-not-" + std::to_string(operation), filter);
    }
}

void write_programs() {
    Random random(5);
    const Buffer meta = random_meta(random);
    Buffer program = {9, 0, static_cast<uint8_t>(meta.size())};
    append(program, meta);
    append(program, {5, 4, 2, 5, 6, 7});
    write("metadata/seed-file", program);
}

// --- Indexes: the payloads of the rows that the fuzzer makes, and a life ---

void write_index(const std::string& name, IndexInput input, uint32_t flags, uint32_t m) {
    FileBuilder file = file_of_rows(input);
    file.commit();
    StoreHandle store(open_file(file.bytes));
    if (rvf_index_create(store, flags, m, 20, 1) < 0 || rvf_index_build(store, ~0u) != 0 ||
        rvf_index_save(store) < 0) {
        std::exit(1);
    }
    FileHost host{file.bytes};
    host.commit(store);
    for (size_t at = file.bytes.size(); at < host.bytes.size();) {
        size_t begin = at + kHeaderBytes, end = begin + get<uint64_t>(host.bytes, at + 16);
        Buffer payload(host.bytes.begin() + static_cast<long>(begin),
                       host.bytes.begin() + static_cast<long>(end));
        if (host.bytes[at + 5] == kIndex) input.index = payload;
        if (host.bytes[at + 5] == 0x06) input.quant = payload;
        at = end;
    }
    write("index/seed-" + name, join(input));
}

void write_indexes() {
    const Buffer life = {0, 30, 1, 0, 3,  4, 1, 6,   3, 9, 4, 0, 60,
                         2, 5,  7, 0, 61, 5, 3, 255, 4, 5, 2, 6};
    write_index("l2", {0, 40, 8, 1, 0, {}, {}, life}, kGraph | kCodes, 4);
    write_index("dot", {1, 63, 3, 2, 7, {}, {}, life}, kGraph | kCodes, 8);
    write_index("cosine", {2, 20, 20, 3, 2, {}, {}, life}, kGraph | kCodes, 2);
    write_index("graph", {0, 63, 2, 4, 5, {}, {}, {2, 5, 9, 3, 40, 4, 5, 5}}, kGraph, 16);
    write_index("codes", {0, 10, 4, 5, 3, {}, {}, {5, 6, 2, 4, 9, 3, 9, 5, 7}}, kCodes, 16);
    write_index("short", {2, 30, 5, 6, 0, {}, {}, {8, 9, 2, 5, 9, 8, 20, 3, 99, 8, 1, 4}}, kGraph,
                3);
}

} // namespace
} // namespace rvf::test

int main(int count, char** words) {
    if (count != 2) return 2;
    rvf::test::corpus = words[1];
    rvf::test::write_files();
    rvf::test::write_children();
    rvf::test::write_witness_inputs();
    rvf::test::write_filters();
    rvf::test::write_programs();
    rvf::test::write_indexes();
}
