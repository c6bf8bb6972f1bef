// The answer as it should be: brute force in double precision over the stored values.
#pragma once

#include <unordered_map>

#include "host/hub/hub.h"
#include "host/hub/stored.h"

namespace rvf::hub {

struct Verdict {
    std::string error; ///< empty: every answer is right within the tolerance
    double recall = 1; ///< of the true k nearest, over all queries; ties within the tolerance count
    double worst = 0;  ///< largest difference of a distance from the reference
    double worst_allowed = 0; ///< tolerance of that distance
};

/// A true distance, and by how much an f32 kernel may miss it (kernel.h, "Numerics").
struct Reference {
    double distance;
    double tolerance;
};

/// Compares answers with brute force over the values that tiles compared: rows and query as f16, or
/// as the i8 codes stand for.
class BruteForce {
public:
    BruteForce(const Scenario& scenario, const Data& data);

    /// Of every row of Data.
    std::vector<Reference> distances(const std::vector<float>& query) const;

    /// Judges the answers to one query, with its distances; `compared[row]` says which rows a tile
    /// can know of. `exact`: they must be the true top-K of those; else (graph) distances and order
    /// must be right. Answers how many are among the nearest.
    size_t judge(const std::vector<Answer>& answers, const std::vector<Reference>& distances,
                 const std::vector<bool>& compared, bool exact, Verdict& verdict) const;

private:
    const Scenario& scenario_;
    std::vector<std::vector<double>> rows_;
    std::unordered_map<uint64_t, size_t> row_of_;
    double largest_step_ = 0; ///< of an i8 code
};

/// Judges the answers to all queries.
Verdict verify(const Scenario& scenario, const Data& data,
               const std::vector<std::vector<float>>& queries,
               const std::vector<std::vector<Answer>>& answers, bool exact);

} // namespace rvf::hub
