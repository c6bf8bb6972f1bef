#include "host/hub/invariants.h"

#include <algorithm>
#include <cstddef>

namespace rvf::hub {

Invariants::Invariants(const Scenario& scenario, const Data& data,
                       const std::vector<std::vector<float>>& queries, sim::Tiles& tiles,
                       Observer& observer)
    : scenario_(scenario),
      queries_(queries),
      tiles_(tiles),
      observer_(observer),
      truth_(scenario, data),
      distances_(queries.size()),
      compared_(queries.size(), std::vector<bool>(data.ids.size())) {}

void Invariants::on_event(const Event& event) {
    observer_.on_event(event);
    last_event_ = text_of(event);
    if (event.kind == EventKind::kStart) in_.insert(event.tile);
    if (event.kind == EventKind::kQuarantine) in_.erase(event.tile);
    if (event.kind == EventKind::kSend && !in_.contains(event.tile)) {
        broken("a message to a tile that is out");
    }
    bool ends = event.kind == EventKind::kFinish || event.kind == EventKind::kLocal;
    if (ends && !done_.insert(event.job).second) broken("a job that has ended ends again");
    for (uint32_t tile : in_) {
        bool just_found = event.kind == EventKind::kFinding && tile == event.tile;
        if (!just_found && !tiles_.red_zone_is_zero(tile)) {
            broken("the red zone of tile " + std::to_string(tile) + " is not zero");
        }
    }
}

void Invariants::on_answers(uint32_t query, uint32_t first, uint32_t count,
                            const std::vector<Answer>& answers) {
    observer_.on_answers(query, first, count, answers);
    if (distances_[query].empty()) distances_[query] = truth_.distances(queries_[query]);
    auto begin = compared_[query].begin() + static_cast<std::ptrdiff_t>(first);
    std::fill_n(begin, count, true);
    bool exact = scenario_.mode == Mode::kBlocks;
    Verdict verdict;
    truth_.judge(answers, distances_[query], compared_[query], exact, verdict);
    if (!verdict.error.empty()) {
        broken("query " + std::to_string(query) + " so far: " + verdict.error);
    }
}

void Invariants::on_progress(uint64_t jobs_done, uint64_t jobs) {
    observer_.on_progress(jobs_done, jobs);
}

void Invariants::broken(const std::string& what) {
    if (error_.empty()) error_ = what + " (after: " + last_event_ + ")";
}

} // namespace rvf::hub
