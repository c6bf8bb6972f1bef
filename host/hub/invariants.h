// What must be true after each event of a run, whatever has failed. Stands between the hub and its
// observer.
#pragma once

#include <set>

#include "host/hub/verify.h"

namespace rvf::hub {

///   every block is answered once: no job ends twice;
///   no message goes to a tile that was not started or is out;
///   the red zones of all tiles are zero, but where one that is not has just been found;
///   after each job the answer to its query is the top-K of all rows that were compared so far, by
///     brute force (graph: its distances are right).
class Invariants final : public Observer {
public:
    /// All that is given must stay.
    Invariants(const Scenario& scenario, const Data& data,
               const std::vector<std::vector<float>>& queries, sim::Tiles& tiles,
               Observer& observer);

    /// The first that was broken, and by which event; empty: none.
    const std::string& error() const { return error_; }

    void on_event(const Event& event) override;
    void on_answers(uint32_t query, uint32_t first, uint32_t count,
                    const std::vector<Answer>& answers) override;
    void on_progress(uint64_t jobs_done, uint64_t jobs) override;

private:
    void broken(const std::string& what);

    const Scenario& scenario_;
    const std::vector<std::vector<float>>& queries_;
    sim::Tiles& tiles_;
    Observer& observer_;
    BruteForce truth_;
    std::vector<std::vector<Reference>> distances_; ///< per query
    std::vector<std::vector<bool>> compared_;       ///< rows, per query
    std::set<uint32_t> in_;                         ///< tiles that are started and not out
    std::set<uint32_t> done_;                       ///< jobs
    std::string last_event_;
    std::string error_;
};

} // namespace rvf::hub
