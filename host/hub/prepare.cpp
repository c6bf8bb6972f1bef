// What can be refused before anything starts, and the messages that every tile gets first.
#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "host/hub/local_tile.h"
#include "host/hub/run.h"

namespace rvf::hub {

namespace {

constexpr float kLargestHalf = 65504;

std::string number(uint64_t value) { return std::to_string(value); }

double length(const float* values, size_t count) {
    double squares = 0;
    for (size_t i = 0; i < count; ++i) squares += double{values[i]} * values[i];
    return std::sqrt(squares);
}

/// What is wrong with a vector. Sums of a tile are f32: no distance from a query of at most
/// `longest` may come near the end of their range.
std::string check_row(const Scenario& scenario, const float* row, size_t dimension,
                      double longest) {
    for (size_t i = 0; i < dimension; ++i) {
        if (!std::isfinite(row[i])) return "holds NaN or an infinity";
        if (scenario.dtype == tile::kF16 && std::fabs(row[i]) > kLargestHalf) {
            return "holds a number above 65504, the largest of f16; take dtype i8 or f32";
        }
    }
    double reach = length(row, dimension) + longest;
    if (reach * reach > std::numeric_limits<float>::max() / 4) {
        return "is too large for distances in f32; scale the vectors";
    }
    return {};
}

std::string check_data(const Scenario& scenario, const Data& data,
                       const std::vector<std::vector<float>>& queries) {
    if (data.dimension == 0) return "the vectors have no dimension";
    if (data.rows.size() != data.ids.size() * data.dimension) {
        return number(data.ids.size()) + " ids of dimension " + number(data.dimension) +
               " need as many rows, not " + number(data.rows.size()) + " numbers";
    }
    bool core = scenario.profile == tile::kCoreProfile;
    uint32_t limit = !core ? tile::kMaxDimension : scenario.dtype == tile::kI8 ? 768u : 384u;
    if (data.dimension > limit) {
        return "the vectors have " + number(data.dimension) + " dimensions; a tile of profile " +
               (core ? "core" : "hot") + " takes at most " + number(limit) +
               (core ? scenario.dtype == tile::kI8 ? " as i8"
                                                   : " (768 with dtype i8, 1024 with profile hot)"
                     : "");
    }
    for (size_t i = 0; i < queries.size(); ++i) {
        if (queries[i].size() != data.dimension) {
            return "query " + number(i) + " has " + number(queries[i].size()) +
                   " dimensions, the vectors have " + number(data.dimension);
        }
        for (float value : queries[i]) {
            if (!std::isfinite(value)) return "query " + number(i) + " holds NaN or an infinity";
            if (std::fabs(value) > kLargestHalf) {
                return "query " + number(i) +
                       " holds a number above 65504, the largest of f16; tiles take f16 queries";
            }
        }
    }
    std::unordered_set<uint64_t> ids;
    for (uint64_t id : data.ids) {
        if (!ids.insert(id).second) return "id " + number(id) + " is there twice";
    }
    double longest = 0;
    for (const auto& query : queries)
        longest = std::max(longest, length(query.data(), query.size()));
    for (size_t row = 0; row < data.ids.size(); ++row) {
        std::string why =
            check_row(scenario, &data.rows[row * data.dimension], data.dimension, longest);
        if (!why.empty()) return "vector " + number(data.ids[row]) + " " + why;
    }
    return {};
}

void make_setup(const Scenario& scenario, Work& work) {
    tile::TileConfig config{};
    config.profile = scenario.profile;
    config.metric = static_cast<uint8_t>(scenario.metric);
    config.k = static_cast<uint8_t>(scenario.mode == Mode::kGraph ? tile::kMaxTopK : scenario.k);
    Load load;
    load.type = tile::kLoadParams;
    load.base = tile::kBlock;
    load.kind = tile::kConfigParams;
    load.data = reinterpret_cast<const uint8_t*>(&config);
    load.bytes = sizeof(config);
    work.setup = load_messages(load);
    const std::vector<float>& pairs = work.stored.sq_pairs;
    if (pairs.empty()) return;
    load.kind = tile::kSqParams;
    load.count = static_cast<uint16_t>(work.stored.dimension);
    load.data = reinterpret_cast<const uint8_t*>(pairs.data());
    load.bytes = 4 * pairs.size();
    for (Bytes& message : load_messages(load)) work.setup.push_back(std::move(message));
}

std::vector<Bytes> query_messages(const std::vector<float>& query) {
    std::vector<uint16_t> halves = half_query(query);
    Load load;
    load.type = tile::kLoadQuery;
    load.base = tile::kNeighborCache;
    load.count = static_cast<uint16_t>(query.size());
    load.data = reinterpret_cast<const uint8_t*>(halves.data());
    load.bytes = 2 * halves.size();
    return load_messages(load);
}

} // namespace

std::string prepare(const Scenario& scenario, const Data& data, const Graph* graph,
                    const std::vector<std::vector<float>>& queries, Work& work) {
    std::string why = check(scenario);
    if (why.empty()) why = check_data(scenario, data, queries);
    if (!why.empty()) return why;
    work.scenario = &scenario;
    work.data = &data;
    work.graph = graph;
    work.stored = convert(data, scenario.dtype);
    if (scenario.mode == Mode::kGraph && !data.ids.empty()) why = check_graph(work);
    if (!why.empty()) return why;

    // A tile of the hub's own goes through the same messages; its memory tells what to expect.
    make_setup(scenario, work);
    LocalTile local;
    auto serve = [&](const std::vector<Bytes>& messages) -> bool {
        for (Bytes message : messages) {
            stamp(message, 1);
            Bytes bytes = local.serve(message);
            Reply reply;
            if (!read_reply(bytes, reply) || reply.type != tile::kDone) return false;
        }
        return true;
    };
    if (!serve(work.setup))
        return "a tile does not take the quantization parameters of these vectors";
    for (size_t i = 0; i < queries.size(); ++i) {
        work.queries.push_back(query_messages(queries[i]));
        if (!serve(work.queries.back())) return "a tile does not take query " + number(i);
        work.operands_prefix.push_back(local.operands_prefix());
    }
    return {};
}

} // namespace rvf::hub
