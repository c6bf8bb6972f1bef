#include "host/hub/verify.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <unordered_map>

#include "kernel/half.h"

namespace rvf::hub {

namespace {

struct Reference {
    double distance;
    double tolerance; ///< of an f32 kernel
};

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

Verdict verify(const Scenario& scenario, const Data& data,
               const std::vector<std::vector<float>>& queries,
               const std::vector<std::vector<Answer>>& answers, bool exact) {
    Verdict verdict;
    Stored stored = convert(data, scenario.dtype);
    std::vector<std::vector<double>> rows;
    std::unordered_map<uint64_t, size_t> row_of;
    for (size_t row = 0; row < data.ids.size(); ++row) {
        rows.push_back(decoded_row(stored, row));
        row_of[data.ids[row]] = row;
    }
    double step = 0;
    for (size_t i = 0; i + 1 < stored.sq_pairs.size(); i += 2) {
        step = std::max(step, (double{stored.sq_pairs[i + 1]} - stored.sq_pairs[i]) / 255);
    }
    bool codes = scenario.dtype == tile::kI8;
    size_t wanted = std::min<size_t>(scenario.k, data.ids.size());
    uint64_t near = 0;
    for (size_t q = 0; q < queries.size(); ++q) {
        std::string whose = "query " + std::to_string(q);
        std::vector<double> query;
        for (float value : queries[q]) query.push_back(half_to_float(float_to_half(value)));
        std::vector<Reference> all;
        for (const auto& row : rows) {
            all.push_back(reference(scenario.metric, codes, query, row, step));
        }
        std::vector<Reference> nearest = all;
        std::sort(nearest.begin(), nearest.end(),
                  [](const Reference& a, const Reference& b) { return a.distance < b.distance; });
        const std::vector<Answer>& given = answers[q];
        if (given.size() > wanted || (exact && given.size() != wanted)) {
            verdict.error = whose + " has " + std::to_string(given.size()) +
                            " answers instead of " + std::to_string(wanted);
            return verdict;
        }
        for (size_t i = 0; i < given.size(); ++i) {
            auto found = row_of.find(given[i].id);
            if (found == row_of.end()) {
                verdict.error = whose + " is answered with id " + std::to_string(given[i].id) +
                                ", which is not there";
                return verdict;
            }
            if (i > 0 && !ascends(given[i - 1], given[i])) {
                verdict.error = whose + ": its answers do not ascend";
            }
            Reference truth = all[found->second];
            double difference = std::fabs(given[i].distance - truth.distance);
            if (difference > verdict.worst) {
                verdict.worst = difference;
                verdict.worst_allowed = truth.tolerance;
            }
            double reach =
                nearest[wanted - 1].distance + nearest[wanted - 1].tolerance + truth.tolerance;
            bool among = truth.distance <= reach;
            near += among ? 1 : 0;
            if (!(difference <= truth.tolerance)) {
                verdict.error = whose + ": the distance of id " + std::to_string(given[i].id) +
                                " is " + exactly(given[i].distance) + " instead of " +
                                exactly(truth.distance);
            } else if (exact && !among) {
                verdict.error = whose + ": id " + std::to_string(given[i].id) +
                                " is not among the nearest " + std::to_string(wanted);
            }
        }
    }
    if (!queries.empty() && wanted > 0) {
        verdict.recall = static_cast<double>(near) / static_cast<double>(queries.size() * wanted);
    }
    return verdict;
}

} // namespace rvf::hub
