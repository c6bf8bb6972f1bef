// A timeline in the Chrome trace event format (JSON), which https://ui.perfetto.dev and
// chrome://tracing open: one row per tile, written while the run goes on and in the order of time.
//
//   a job                   slice from its assignment until it is done or taken away
//   a message being served  slice inside it
//   faults and findings     instants on the row of the tile
//   jobs, tiles, faults     counters
#pragma once

#include <optional>
#include <queue>
#include <string>
#include <vector>

#include "host/hub/hub.h"
#include "host/sim/output.h"

namespace rvf::sim {

class Trace final : public hub::Observer {
public:
    /// Writes the beginning; `tiles` rows.
    Trace(Output& output, uint32_t tiles);

    void on_event(const hub::Event& event) override;

    /// Writes the end; no event may follow.
    void finish();

private:
    struct Row {
        std::optional<uint32_t> job;     ///< that the tile works on
        std::optional<uint16_t> message; ///< that it serves, inside the job or between two
        uint64_t message_end_ns = 0;
    };
    struct End {
        uint64_t time_ns;
        uint32_t tile;
        bool operator>(const End& other) const {
            return time_ns != other.time_ns ? time_ns > other.time_ns : tile > other.tile;
        }
    };

    void put(const std::string& fields);
    void count(const char* name, uint64_t time_ns, uint64_t value);
    void end_messages(uint64_t until_ns);
    void end_message(uint32_t tile, uint64_t time_ns);
    void end_job(uint32_t tile, uint64_t time_ns, const char* how);

    Output& output_;
    bool first_ = true;
    std::vector<Row> rows_;                                           ///< of tiles
    std::priority_queue<End, std::vector<End>, std::greater<>> ends_; ///< of messages being served
    uint64_t last_ns_ = 0;
    uint64_t running_ = 0;
    uint64_t done_ = 0;
    uint64_t faults_ = 0;
    uint64_t tiles_left_;
};

} // namespace rvf::sim
