// The state of a run. Private to prepare.cpp (what can be known before), jobs.cpp (who does what)
// and exchange.cpp (messages and faults).
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <queue>

#include "host/hub/faults.h"
#include "host/hub/hub.h"
#include "host/hub/job.h"
#include "host/hub/random.h"

namespace rvf::hub {

/// Checks everything that can be checked beforehand and makes what all jobs share. Empty, or why
/// the run is impossible.
std::string prepare(const Scenario& scenario, const Data& data, const Graph* graph,
                    const std::vector<std::vector<float>>& queries, Work& work);

bool is_wire_fault(FaultKind kind);

/// An event about a message, at no time yet.
Event message_event(EventKind kind, uint32_t tile, const Bytes& message);

class Run {
public:
    /// Without tiles the hub is alone from the beginning.
    Run(const Work& work, sim::Tiles* tiles, Observer& observer, BlockCodec* codec);
    Report go();

private:
    static constexpr uint32_t kNone = ~0u;

    /// What the hub knows of a tile, and of what it is waiting for.
    struct Link {
        bool ready = false; ///< started; false also while it is being restarted
        bool quarantined = false;
        bool dead = false;    ///< the hub does not know: it never answers again
        bool trapped = false; ///< the hub does not know yet: it runs no more until it is restarted
        uint32_t starts = 0;
        uint32_t state = 0;     ///< checksum of the tile's state, by its last reply
        bool set_up = false;    ///< configuration and parameters are loaded
        uint32_t query = kNone; ///< loaded
        uint32_t faults_in_row = 0;

        uint32_t task = kNone;
        uint64_t since_ns = 0;       ///< begin of the task
        std::deque<Bytes> preparing; ///< what the tile needs before its task begins
        bool prepared = false;       ///< the task has begun
        Step step;                   ///< outstanding
        uint32_t id = 0;             ///< of the outstanding message; 0: none
        uint32_t resends = 0;
    };

    struct Task {
        std::unique_ptr<Job> job;
        uint32_t first = 0; ///< rows of a block
        uint32_t count = 0;
        uint32_t attempts = 0;
        uint32_t answers = 0; ///< one, in the end
    };

    /// The memory that tiles of a Hot chip share.
    struct Chip {
        std::map<uint32_t, Bytes> blocks; ///< rows, by the number of the first
        std::deque<uint32_t> order;       ///< of them, the oldest first
        size_t rows = 0;
        bool has_layer_a = false;
    };

    enum class What : uint8_t { kAtTile, kAtHub, kTimeout, kTrap, kStarted };

    /// Something that will happen.
    struct Pending {
        uint64_t time_ns = 0;
        uint64_t order = 0; ///< of two at the same time the earlier one was decided first
        What what = What::kAtTile;
        uint32_t tile = 0;
        Bytes bytes; ///< kAtTile, kAtHub: the message
        uint32_t id =
            0; ///< kTimeout: the message that is waited for; kTrap: which start of the tile
        bool faulty = false; ///< kAtTile: `fault` strikes there
        Fault fault{};
        Finding finding = Finding::kTrap; ///< kTrap
    };
    struct Later {
        bool operator()(const Pending& a, const Pending& b) const {
            return a.time_ns != b.time_ns ? a.time_ns > b.time_ns : a.order > b.order;
        }
    };

    // jobs.cpp
    void make_tasks();
    void assign();
    void finish(uint32_t tile);
    void keep(Task& task);
    void take_back(uint32_t tile);
    void compute_here(uint32_t task);
    void close();

    // chip.cpp
    bool share_block(uint32_t tile, const Task& task);

    // exchange.cpp
    void start(uint32_t tile);
    void on_started(uint32_t tile);
    void fault(uint32_t tile, Finding finding);
    void send_next(uint32_t tile);
    void send(uint32_t tile);
    void resend_or_fault(uint32_t tile, Finding finding);
    void on_hub(const Pending& arrived);
    void accept(uint32_t tile, const Reply& reply);

    // wire.cpp
    void later(Pending pending, uint64_t in_ns);
    void transmit(Pending message, uint64_t takes_ns, const Fault* fault);
    void on_tile(Pending& arrived);
    void flip_memory(uint32_t tile, uint32_t bits);
    void trapped(uint32_t tile, sim::Outcome outcome);
    void reply_from(uint32_t tile, const Pending& arrived, bool wrong_id);

    void tell(Event event);
    void tell(EventKind kind, uint32_t tile, uint8_t code = 0);
    void tell_job(EventKind kind, uint32_t tile, uint32_t task, uint64_t took_ns = 0);
    void broken(const std::string& invariant);

    const Work& work_;
    const Scenario& scenario_;
    sim::Tiles* tiles_;
    Observer& observer_;
    BlockCodec* codec_;
    Random random_;
    FaultPlan plan_;
    Report report_;

    uint64_t now_ns_ = 0;
    uint64_t order_ = 0;
    uint32_t last_id_ = 0;
    uint32_t fresh_state_; ///< checksum of a tile whose memory is all zero
    std::vector<Link> links_;
    std::vector<Task> tasks_;
    std::map<uint32_t, Chip> chips_;
    std::deque<uint32_t> waiting_; ///< tasks that nobody does
    std::deque<uint32_t> idle_;    ///< tiles, the longest idle first
    std::priority_queue<Pending, std::vector<Pending>, Later> pending_;
    uint64_t done_ = 0; ///< tasks
};

} // namespace rvf::hub
