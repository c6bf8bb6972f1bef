#include "host/sim/check.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <unordered_map>

#include "host/hub/stored.h"
#include "host/hub/verify.h"

namespace rvf::sim {

namespace {

constexpr double kF32Unit = 0x1p-24;  ///< largest relative error of one f32 operation
constexpr double kF16Unit = 0x1p-11;  ///< of rounding to f16
constexpr double kF16Least = 0x1p-25; ///< largest error of rounding to a subnormal f16

/// A vector of the file, and by how much each of its values may differ on a tile.
struct Values {
    std::vector<double> at;
    std::vector<double> error;
};

Values as_f16(const float* values, size_t dimension) {
    Values out;
    for (size_t d = 0; d < dimension; ++d) {
        double value = values[d];
        out.at.push_back(value);
        out.error.push_back(std::fabs(value) * kF16Unit + kF16Least);
    }
    return out;
}

Values row_of(const hub::Data& data, const hub::Stored& stored, size_t row) {
    Values out = as_f16(&data.rows[row * data.dimension], data.dimension);
    for (size_t d = 0; d < data.dimension && stored.dtype != tile::kF16; ++d) {
        out.error[d] = 0;
        if (stored.dtype != tile::kI8) continue;
        // Half a step, and what decoding in f32 costs.
        double low = stored.sq_pairs[2 * d], high = stored.sq_pairs[2 * d + 1];
        out.error[d] =
            (high - low) / 255 / 2 + 8 * kF32Unit * std::max(std::fabs(low), std::fabs(high));
    }
    return out;
}

struct Distance {
    double exact = NAN;
    double allowed = 0;
};

/// With a bound on what a tile may make of it: the errors of the values, carried through, and a
/// rounding per element and operation of an f32 sum.
Distance distance_of(uint32_t metric, const Values& query, const Values& row) {
    double sum = 0, absolute = 0, carried = 0, query_norm = 0, row_norm = 0, error_norm = 0;
    for (size_t d = 0; d < query.at.size(); ++d) {
        double q = query.at[d], x = row.at[d], eq = query.error[d], ex = row.error[d];
        double term = metric == tile::kL2 ? (q - x) * (q - x) : q * x;
        sum += term;
        absolute += std::fabs(term);
        carried += metric == tile::kL2 ? (2 * std::fabs(q - x) + eq + ex) * (eq + ex)
                                       : std::fabs(q) * ex + std::fabs(x) * eq + eq * ex;
        query_norm += q * q;
        row_norm += x * x;
        error_norm += eq * eq + ex * ex;
    }
    double units = (static_cast<double>(query.at.size()) + 8) * kF32Unit;
    double allowed = units * (absolute + carried) + carried + FLT_MIN;
    if (metric == tile::kL2) return {sum, allowed};
    if (metric == tile::kInnerProduct) return {-sum, allowed};
    double norms = std::sqrt(query_norm) * std::sqrt(row_norm);
    if (norms == 0) return {1, FLT_MIN};
    // The angle moves by what the errors are beside the shorter vector.
    double turned = 2 * std::sqrt(error_norm / std::min(query_norm, row_norm));
    return {1 - sum / norms, std::min(2.0, 2 * (units + turned) + turned * turned)};
}

/// One query: the distances of the k nearest vectors, the farthest first, and of the answers.
struct Truth {
    std::vector<double> nearest;
    std::vector<Distance> answered;

    void add(double distance, uint32_t k) {
        if (nearest.size() == k && !(distance < nearest.front())) return;
        nearest.push_back(distance);
        std::push_heap(nearest.begin(), nearest.end());
        if (nearest.size() <= k) return;
        std::pop_heap(nearest.begin(), nearest.end());
        nearest.pop_back();
    }
};

std::vector<Truth> search(const hub::Scenario& scenario, const hub::Data& data,
                          const std::vector<std::vector<float>>& queries,
                          const std::vector<std::vector<hub::Answer>>& answers) {
    std::vector<Truth> truths(queries.size());
    std::vector<Values> wanted;
    for (const std::vector<float>& query : queries) {
        wanted.push_back(as_f16(query.data(), query.size()));
    }
    struct Place {
        size_t query, index;
    };
    std::unordered_map<uint64_t, std::vector<Place>> places;
    for (size_t query = 0; query < answers.size(); ++query) {
        truths[query].answered.resize(answers[query].size());
        for (size_t i = 0; i < answers[query].size(); ++i) {
            places[answers[query][i].id].push_back({query, i});
        }
    }
    hub::Stored stored = hub::convert(data, scenario.dtype);
    for (size_t row = 0; row < data.ids.size(); ++row) {
        Values values = row_of(data, stored, row);
        for (size_t query = 0; query < queries.size(); ++query) {
            Distance distance = distance_of(scenario.metric, wanted[query], values);
            truths[query].add(distance.exact, scenario.k);
        }
        auto found = places.find(data.ids[row]);
        if (found == places.end()) continue;
        for (Place place : found->second) {
            truths[place.query].answered[place.index] =
                distance_of(scenario.metric, wanted[place.query], values);
        }
    }
    return truths;
}

/// Empty, or the first answer that is farther off than allowed.
std::string compare(const std::vector<Truth>& truths,
                    const std::vector<std::vector<hub::Answer>>& answers, Comparison& comparison) {
    std::string wrong;
    double found = 0;
    for (size_t query = 0; query < answers.size(); ++query) {
        const Truth& truth = truths[query];
        if (truth.nearest.empty()) continue;
        size_t hits = 0;
        for (size_t i = 0; i < answers[query].size(); ++i) {
            const Distance& distance = truth.answered[i];
            double answered = answers[query][i].distance;
            double difference = std::fabs(distance.exact - answered);
            if (distance.exact <= truth.nearest.front()) ++hits;
            if (difference > comparison.difference) {
                comparison.difference = difference;
                comparison.allowed = distance.allowed;
            }
            if (difference <= distance.allowed || !wrong.empty()) continue;
            char text[160];
            std::snprintf(text, sizeof(text),
                          "query %zu: id %llu is %.9g away, not %.9g (allowed: %.1e)", query,
                          static_cast<unsigned long long>(answers[query][i].id), distance.exact,
                          answered, distance.allowed);
            wrong = text;
        }
        found += static_cast<double>(std::min(hits, truth.nearest.size())) /
                 static_cast<double>(truth.nearest.size());
    }
    if (!answers.empty() && !truths[0].nearest.empty()) {
        comparison.recall = found / static_cast<double>(answers.size());
    }
    return wrong;
}

} // namespace

Check check_answers(const hub::Scenario& scenario, const hub::Data& data,
                    const std::vector<std::vector<float>>& queries,
                    const std::vector<std::vector<hub::Answer>>& answers) {
    bool exact = scenario.mode == hub::Mode::kBlocks;
    hub::Verdict verdict = hub::verify(scenario, data, queries, answers, exact);
    Check check;
    check.stored = {verdict.recall, verdict.worst, verdict.worst_allowed};
    check.error = verdict.error;
    std::string wrong = compare(search(scenario, data, queries, answers), answers, check.file);
    if (check.error.empty()) check.error = wrong;
    return check;
}

} // namespace rvf::sim
