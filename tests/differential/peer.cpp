// differential_peer OPERATIONS ANSWERS
//
// Runs the operations in one file on the native kernel and control store and writes every answer,
// bit for bit, to another. operations.mjs writes such files and runs the same operations in the
// modules.
//
// An operation is one letter and little-endian numbers:
//   W  address u32, size u32, bytes              write to tile memory
//   C  export u8 (order of kernel.h), 4 x i64    call it                        -> answer i64
//   R  address u32, size u32                     read tile memory               -> bytes
//   S  dimension i32, metric i32                 replace the store              -> status i32
//   I  count u32, vectors f32, ids u64           ingest                         -> status i32
//   D  count u32, ids u64                        delete                         -> status i32
//   Q  k i32, metric i32, query f32              query                          -> status i32, hits
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <tuple>
#include <vector>

#include "control/control.h"
#include "kernel/kernel.h"
#include "kernel/memory.h"

namespace {

using namespace rvf;
using namespace rvf::tile;

using Bytes = std::vector<uint8_t>;

[[noreturn]] void fail(const char* reason) {
    std::fprintf(stderr, "differential_peer: %s\n", reason);
    std::exit(1);
}

struct Input {
    Bytes bytes;
    size_t at = 0;

    bool more() const { return at < bytes.size(); }

    const uint8_t* take(size_t size) {
        if (size > bytes.size() - at) fail("an operation ends behind the file");
        at += size;
        return bytes.data() + at - size;
    }

    template <typename T>
    T number() {
        T value;
        std::memcpy(&value, take(sizeof(T)), sizeof(T));
        return value;
    }

    template <typename T>
    std::vector<T> list(size_t count) {
        std::vector<T> values(count);
        if (count > 0) std::memcpy(values.data(), take(count * sizeof(T)), count * sizeof(T));
        return values;
    }
};

struct Output {
    Bytes bytes;

    void append(const void* data, size_t size) {
        const auto* begin = static_cast<const uint8_t*>(data);
        bytes.insert(bytes.end(), begin, begin + size);
    }

    template <typename T>
    void number(T value) {
        append(&value, sizeof(value));
    }
};

template <typename T>
uintptr_t address(T* pointer) {
    return reinterpret_cast<uintptr_t>(pointer);
}

using Call = int64_t (*)(const int64_t* args);

template <auto function>
int64_t call(const int64_t* args) {
    return [args]<typename Result, typename... Parameters>(Result (*f)(Parameters...)) {
        const int64_t* next = args;
        // Braces, because they say in which order the arguments are taken.
        std::tuple<Parameters...> values{static_cast<Parameters>(*next++)...};
        return static_cast<int64_t>(std::apply(f, values));
    }(function);
}

int32_t ring() {
    serve_message();
    return 0;
}

/// In the order of kernel.h.
constexpr Call kExports[] = {
    call<rvf_init>,           call<rvf_load_query>,     call<rvf_load_block>,
    call<rvf_distances>,      call<rvf_topk_merge>,     call<rvf_topk_read>,
    call<rvf_load_sq_params>, call<rvf_dequant_i8>,     call<rvf_load_pq_codebook>,
    call<rvf_pq_distances>,   call<rvf_load_neighbors>, call<rvf_greedy_step>,
    call<rvf_verify_header>,  call<rvf_crc32c>,         call<ring>,
};

void tile_operation(char operation, Input& in, Output& out) {
    if (operation == 'C') {
        auto name = in.number<uint8_t>();
        int64_t args[4];
        for (int64_t& arg : args) arg = in.number<int64_t>();
        if (name >= std::size(kExports)) fail("there is no such export");
        out.number(kExports[name](args));
        return;
    }
    auto start = in.number<uint32_t>();
    auto size = in.number<uint32_t>();
    if (operation == 'W') {
        std::memcpy(at(start), in.take(size), size);
    } else {
        out.append(at(start), size);
    }
}

/// The one store that operations are about.
struct Peer {
    int32_t store = 0;
    size_t dimension = 0;

    void create(Input& in, Output& out) {
        if (store > 0) rvf_store_close(store);
        auto wanted = in.number<int32_t>();
        store = rvf_store_create(wanted, in.number<int32_t>());
        dimension = static_cast<size_t>(wanted);
        out.number(store > 0 ? 0 : store);
    }

    void ingest(Input& in, Output& out) {
        auto count = in.number<uint32_t>();
        auto vectors = in.list<float>(count * dimension);
        auto ids = in.list<uint64_t>(count);
        out.number(rvf_store_ingest(store, address(vectors.data()), address(ids.data()),
                                    static_cast<int32_t>(count)));
    }

    void remove(Input& in, Output& out) {
        auto count = in.number<uint32_t>();
        auto ids = in.list<uint64_t>(count);
        out.number(rvf_store_delete(store, address(ids.data()), static_cast<int32_t>(count)));
    }

    void query(Input& in, Output& out) {
        auto k = in.number<int32_t>();
        auto metric = in.number<int32_t>();
        auto vector = in.list<float>(dimension);
        Bytes hits(static_cast<size_t>(k) * kHitBytes + 1);
        int32_t found =
            rvf_store_query(store, address(vector.data()), k, metric, address(hits.data()));
        out.number(found);
        if (found > 0) out.append(hits.data(), static_cast<size_t>(found) * kHitBytes);
    }
};

void run(Input& in, Output& out) {
    alignas(16) static uint8_t memory[kScratchEnd];
    tile_memory = memory;
    Peer peer;
    while (in.more()) {
        auto operation = in.number<char>();
        if (operation == 'S') {
            peer.create(in, out);
        } else if (operation == 'I') {
            peer.ingest(in, out);
        } else if (operation == 'D') {
            peer.remove(in, out);
        } else if (operation == 'Q') {
            peer.query(in, out);
        } else if (operation == 'W' || operation == 'C' || operation == 'R') {
            tile_operation(operation, in, out);
        } else {
            fail("there is no such operation");
        }
    }
}

} // namespace

int main(int count, char** arguments) {
    if (count != 3) fail("two file names, please: OPERATIONS ANSWERS");
    std::ifstream file(arguments[1], std::ios::binary);
    Input in{{std::istreambuf_iterator<char>(file), {}}};
    Output out;
    run(in, out);
    std::ofstream answers(arguments[2], std::ios::binary);
    answers.write(reinterpret_cast<const char*>(out.bytes.data()),
                  static_cast<std::streamsize>(out.bytes.size()));
    return answers.good() ? 0 : 1;
}
