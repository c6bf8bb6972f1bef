// A piece of work for one tile: a conversation that asks for the next message after each reply. The
// same job runs on a sandboxed tile, message by message through the hub, or on the hub's own.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "host/hub/hub.h"
#include "host/hub/message.h"
#include "host/hub/stored.h"

namespace rvf::hub {

/// What the whole run shares.
struct Work {
    const Scenario* scenario = nullptr;
    const Data* data = nullptr;
    const Graph* graph = nullptr;
    Stored stored;
    std::vector<Bytes> setup;                ///< configuration and parameters of a fresh tile
    std::vector<std::vector<Bytes>> queries; ///< LOAD_QUERY of each
    std::vector<uint32_t> operands_prefix;   ///< LocalTile::operands_prefix of each
};

/// The next message of a job, and what a healthy tile answers.
struct Step {
    Bytes message;
    std::optional<uint32_t> operands; ///< checksum that the reply must carry
    uint32_t rows = 0;                ///< that the tile compares, for the clock
    bool from_chip = false;           ///< content of a chip's shared memory: no way from the hub
    bool layer_a = false;             ///< and that content is of the graph's upper layers
};

class Job {
public:
    Job(const Work& work, uint32_t query) : work_(work), query_(query) {}
    virtual ~Job() = default;

    uint32_t query() const { return query_; }

    /// The next begin() takes the rows of a block from here, the memory of a chip, instead of from
    /// the hub's own.
    virtual void read_from(const uint8_t* rows) { (void)rows; }

    /// From the beginning, on a tile that holds the setup and the query. `step` is the first one.
    virtual void begin(Step& step) = 0;

    enum class Progress : uint8_t {
        kNext,    ///< `step` is the next one
        kDone,    ///< `pairs` is the answer
        kRefused, ///< a healthy tile does not answer so
    };
    /// Goes on after a reply that is not an ERROR.
    virtual Progress next(const Reply& reply, Step& step) = 0;

    std::vector<Pair> pairs; ///< ids are those of Data

protected:
    const Work& work_;
    uint32_t query_;
};

/// Streams rows `first` to `first + count` and reads the top-K.
std::unique_ptr<Job> make_block_job(const Work& work, uint32_t query, uint32_t first,
                                    uint32_t count);

/// Walks the graph.
std::unique_ptr<Job> make_search_job(const Work& work, uint32_t query);

/// Empty, or why the graph cannot be walked by tiles.
std::string check_graph(const Work& work);

} // namespace rvf::hub
