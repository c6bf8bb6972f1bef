// The hub: cuts data into jobs, drives tiles through messages, survives their faults and merges
// their answers. A deterministic state machine in virtual time: no threads, clocks, files or
// globals, so that it runs natively and in a browser alike.
//
//   data + queries -> jobs -> messages -> Tiles -> replies, checked -> answers
//
// What it trusts: its own memory. What it does not trust: the wire (checksums), the tile's memory
// (state chain, operands checksum; kernel/PROTOCOL.md) and the tile's willingness (deadlines). A
// job whose tile fails in any of these is given to another tile; the tile is started afresh, and
// after repeated faults left alone. With no tile left the hub computes the job itself, with the
// kernel's own C++. So every answer is the fault-free one, or the run reports an error.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/hub/scenario.h"
#include "host/hub/tiles.h"

namespace rvf::hub {

/// Vectors to search: row-major f32 and their ids, in the same order.
struct Data {
    uint32_t dimension = 0;
    std::vector<uint64_t> ids;
    std::vector<float> rows;
};

/// An HNSW graph over the rows of Data. Lists hold row numbers.
struct Graph {
    uint32_t entry = 0;                                    ///< row
    std::vector<std::vector<std::vector<uint32_t>>> lists; ///< [row][layer]
};

struct Answer {
    uint64_t id;
    float distance;
};

/// What was found out about tiles; each discovery ends in a resend or in a restart of the tile.
enum class Finding : uint8_t {
    kTrap,         ///< the sandbox caught one
    kDeadline,     ///< stopped from outside
    kNoReply,      ///< nothing came in time
    kBadReply,     ///< checksum, length or type of a reply is wrong
    kWrongId,      ///< a reply to nothing that was asked
    kRefused,      ///< ERROR
    kStateChanged, ///< the state chain is broken
    kBadOperands,  ///< distances were made from something else than what was sent
    kRedZone,      ///< a byte outside the tile's memory is not zero
};
constexpr uint32_t kFindings = 9;
const char* finding_name(Finding finding);

/// "LOAD_QUERY" and so on; "unknown" for what is none.
const char* message_name(uint16_t type);

struct TileReport {
    uint64_t jobs = 0;     ///< finished
    uint64_t messages = 0; ///< sent to it
    uint64_t busy_ns = 0;  ///< virtual
    uint32_t faults = 0;
    uint32_t restarts = 0;
    bool quarantined = false;
};

struct Report {
    std::string error;    ///< empty: every query was answered
    bool refused = false; ///< the error was there before anything began

    std::vector<std::vector<Answer>> answers; ///< per query: ascending by distance, then id

    uint64_t jobs = 0;          ///< blocks times queries, or searches
    uint64_t jobs_on_tiles = 0; ///< of them
    uint64_t jobs_local = 0;    ///< of them
    uint64_t reassigned = 0;    ///< times a job was taken from a faulted tile
    uint64_t resent = 0;        ///< messages sent again
    uint64_t late = 0;          ///< replies that came when nobody waited for them
    uint64_t messages_to_tiles = 0;
    uint64_t messages_to_hub = 0;
    uint64_t bytes_to_tiles = 0;
    uint64_t bytes_to_hub = 0;
    uint64_t bytes_to_chips = 0; ///< Hot: what the hub sent to shared memories (compressed blocks)
    uint64_t layer_a_hits = 0;   ///< Hot, graph: lists and vectors that came from shared memory
    uint64_t virtual_ns = 0;
    uint32_t tiles_left = 0; ///< that are not quarantined

    uint64_t faults[kFaultKinds] = {}; ///< injected
    uint64_t findings[kFindings] = {}; ///< found
    std::vector<TileReport> tiles;
};

/// Everything that happens, in order. The text of an event is the same for the same run everywhere.
enum class EventKind : uint8_t {
    kStart,   ///< a tile was started
    kSend,    ///< a message left the hub
    kReceive, ///< a message reached a tile and was served
    kReply,   ///< a reply reached the hub
    kFault,   ///< a fault was injected
    kFinding, ///< the hub found one out
    kResend,
    kAssign, ///< a job was given to a tile
    kFinish, ///< a job is done
    kQuarantine,
    kLocal, ///< the hub computes a job itself
};

struct Event {
    uint64_t time_ns = 0;
    uint32_t tile = 0;
    EventKind kind = EventKind::kStart;
    uint32_t job = 0;     ///< kAssign, kFinish, kLocal
    uint16_t type = 0;    ///< message type: kSend, kReceive, kReply, kResend
    uint32_t id = 0;      ///< correlation id of it
    uint32_t bytes = 0;   ///< of it
    uint64_t took_ns = 0; ///< kReceive: how long the tile worked; kFinish: the job took
    uint8_t code = 0;     ///< kFault: FaultKind; kFinding: Finding
};

/// One line of the event log, without line feed.
std::string text_of(const Event& event);

/// How blocks travel to the memory that the tiles of a chip share (profile Hot).
class BlockCodec {
public:
    virtual ~BlockCodec() = default;
    virtual std::vector<uint8_t> compress(const std::vector<uint8_t>& block) = 0;
    /// On the chip's side. False when the bytes are not a block of exactly `size` bytes.
    virtual bool expand(const std::vector<uint8_t>& compressed, size_t size,
                        std::vector<uint8_t>& block) = 0;
};

class Observer {
public:
    virtual ~Observer() = default;
    virtual void on_event(const Event&) {}
    /// After every finished job: the answers to its query so far. It had compared `count` rows of
    /// Data from `first` on, or walked the graph.
    virtual void on_answers(uint32_t query, uint32_t first, uint32_t count,
                            const std::vector<Answer>& answers) {
        (void)query, (void)first, (void)count, (void)answers;
    }
    /// After that.
    virtual void on_progress(uint64_t jobs_done, uint64_t jobs) { (void)jobs_done, (void)jobs; }
};

/// Runs all queries, one after another. `graph` is only needed for Mode::kGraph. Each query has
/// data.dimension elements. Answers are exact over the stored (converted) values in kBlocks.
/// Without a codec blocks travel as they are.
Report run(const Scenario& scenario, const Data& data, const Graph* graph,
           const std::vector<std::vector<float>>& queries, sim::Tiles& tiles, Observer& observer,
           BlockCodec* codec = nullptr);

/// The same without tiles: the hub computes every job itself. What faults must not change.
Report run_alone(const Scenario& scenario, const Data& data, const Graph* graph,
                 const std::vector<std::vector<float>>& queries, Observer& observer);

} // namespace rvf::hub
