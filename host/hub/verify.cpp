#include "host/hub/verify.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "kernel/half.h"

namespace rvf::hub {

namespace {

/// kernel.h, "Numerics": a sum of d products is off by at most max(d / 16 + 6, 16) units of 2^-24
/// of the sum of their absolute values, an L2 distance by two units more. Codes are decoded in f32
/// before, which costs up to four units of each factor.
Reference reference(uint32_t metric, bool codes, const std::vector<double>& query,
                    const std::vector<double>& row, double largest_step) {
    double d = static_cast<double>(query.size());
    double units = (std::max(d / 16 + 6, 16.0) + 2) * 0x1p-24;
    double sum = 0;
    double absolute = 0;
    double query_norm = 0;
    double row_norm = 0;
    double decoding = 0;
    for (size_t i = 0; i < query.size(); ++i) {
        double difference = query[i] - row[i];
        double term = metric == tile::kL2 ? difference * difference : query[i] * row[i];
        sum += term;
        absolute += std::fabs(term);
        query_norm += query[i] * query[i];
        row_norm += row[i] * row[i];
        if (codes) {
            double error = 4 * 0x1p-24 * (std::fabs(row[i]) + 128 * largest_step);
            decoding += metric == tile::kL2 ? (2 * std::fabs(difference) + error) * error
                                            : std::fabs(query[i]) * error;
        }
    }
    double tolerance = absolute * units + decoding + std::numeric_limits<float>::min();
    if (metric == tile::kL2) return {sum, tolerance};
    if (metric == tile::kInnerProduct) return {-sum, tolerance};
    double norms = std::sqrt(query_norm) * std::sqrt(row_norm);
    if (norms == 0) return {1, 0};
    return {1 - sum / norms,
            (tolerance / norms) + (2 * units + 8 * 0x1p-24) * (1 + absolute / norms)};
}

std::string exactly(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.9g", value);
    return text;
}

bool ascends(const Answer& a, const Answer& b) {
    return a.distance < b.distance || (a.distance == b.distance && a.id < b.id);
}

} // namespace

BruteForce::BruteForce(const Scenario& scenario, const Data& data) : scenario_(scenario) {
    Stored stored = convert(data, scenario.dtype);
    for (size_t row = 0; row < data.ids.size(); ++row) {
        rows_.push_back(decoded_row(stored, row));
        row_of_[data.ids[row]] = row;
    }
    for (size_t i = 0; i + 1 < stored.sq_pairs.size(); i += 2) {
        double range = double{stored.sq_pairs[i + 1]} - stored.sq_pairs[i];
        largest_step_ = std::max(largest_step_, range / 255);
    }
}

std::vector<Reference> BruteForce::distances(const std::vector<float>& query) const {
    std::vector<double> values;
    for (float value : query) values.push_back(half_to_float(float_to_half(value)));
    bool codes = scenario_.dtype == tile::kI8;
    std::vector<Reference> all;
    for (const auto& row : rows_) {
        all.push_back(reference(scenario_.metric, codes, values, row, largest_step_));
    }
    return all;
}

size_t BruteForce::judge(const std::vector<Answer>& answers,
                         const std::vector<Reference>& distances, const std::vector<bool>& compared,
                         bool exact, Verdict& verdict) const {
    std::vector<Reference> nearest;
    for (size_t row = 0; row < distances.size(); ++row) {
        if (compared[row]) nearest.push_back(distances[row]);
    }
    size_t wanted = std::min<size_t>(scenario_.k, nearest.size());
    auto say = [&](const std::string& what) {
        if (verdict.error.empty()) verdict.error = what;
    };
    if (answers.size() > wanted || (exact && answers.size() != wanted)) {
        say(std::to_string(answers.size()) + " answers instead of " + std::to_string(wanted));
        return 0;
    }
    if (wanted == 0) return 0;
    auto last = nearest.begin() + static_cast<ptrdiff_t>(wanted - 1);
    std::nth_element(
        nearest.begin(), last, nearest.end(),
        [](const Reference& a, const Reference& b) { return a.distance < b.distance; });
    size_t near = 0;
    for (size_t i = 0; i < answers.size(); ++i) {
        std::string whose = "id " + std::to_string(answers[i].id);
        auto found = row_of_.find(answers[i].id);
        if (found == row_of_.end() || !compared[found->second]) {
            say(whose + " is answered, which no tile can know");
            continue;
        }
        if (i > 0 && !ascends(answers[i - 1], answers[i])) say("the answers do not ascend");
        Reference truth = distances[found->second];
        double difference = std::fabs(answers[i].distance - truth.distance);
        if (difference > verdict.worst) {
            verdict.worst = difference;
            verdict.worst_allowed = truth.tolerance;
        }
        if (!(difference <= truth.tolerance)) {
            say("the distance of " + whose + " is " + exactly(answers[i].distance) +
                " instead of " + exactly(truth.distance));
        }
        bool among = truth.distance <= last->distance + last->tolerance + truth.tolerance;
        if (exact && !among) {
            say(whose + " is not among the nearest " + std::to_string(wanted));
        }
        near += among ? 1 : 0;
    }
    return near;
}

Verdict verify(const Scenario& scenario, const Data& data,
               const std::vector<std::vector<float>>& queries,
               const std::vector<std::vector<Answer>>& answers, bool exact) {
    Verdict verdict;
    BruteForce truth(scenario, data);
    std::vector<bool> all(data.ids.size(), true);
    size_t wanted = std::min<size_t>(scenario.k, data.ids.size());
    size_t near = 0;
    for (size_t q = 0; q < queries.size(); ++q) {
        bool fine = verdict.error.empty();
        near += truth.judge(answers[q], truth.distances(queries[q]), all, exact, verdict);
        if (fine && !verdict.error.empty()) {
            verdict.error = "query " + std::to_string(q) + ": " + verdict.error;
        }
    }
    if (!queries.empty() && wanted > 0) {
        verdict.recall = static_cast<double>(near) / static_cast<double>(queries.size() * wanted);
    }
    return verdict;
}

} // namespace rvf::hub
