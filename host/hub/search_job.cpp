#include <algorithm>

#include "host/hub/crc32c.h"
#include "host/hub/job.h"

namespace rvf::hub {

namespace {

constexpr uint64_t kEntryPoints = ~uint64_t{0};
constexpr size_t kMostNeighbors =
    (kMaxContent - sizeof(tile::LoadHeader) - sizeof(ListHeader)) / sizeof(uint64_t);

/// The tile asks for neighbour lists and vectors; its ids are row numbers.
class SearchJob : public Job {
public:
    using Job::Job;

    void begin(Step& step) override {
        pairs.clear();
        queue_.clear();
        reading_ = false;
        const Graph& graph = *work_.graph;
        auto layers = static_cast<uint32_t>(graph.lists[graph.entry].size());
        send_list(kEntryPoints, layers - 1, step);
    }

    Progress next(const Reply& reply, Step& step) override {
        if (!queue_.empty()) {
            if (reply.type != tile::kDone) return Progress::kRefused;
            pop(step);
            return Progress::kNext;
        }
        if (reading_) {
            if (reply.type != tile::kTopKResult) return Progress::kRefused;
            for (const Pair& pair : pairs_of(reply)) {
                if (pair.id >= work_.data->ids.size()) return Progress::kRefused;
                pairs.push_back({work_.data->ids[pair.id], pair.distance});
            }
            return Progress::kDone;
        }
        ListHeader wanted = list_of(reply);
        if (reply.type == tile::kNeedBlock) {
            if (wanted.node != list_.node || wanted.layer != list_.layer ||
                wanted.count != ids_.size() || wanted.done >= ids_.size()) {
                return Progress::kRefused;
            }
            send_vectors(wanted, step);
        } else if (reply.type == tile::kNeedNeighbors) {
            bool known = wanted.node == kEntryPoints || wanted.node < work_.data->ids.size();
            if (!known || wanted.layer > list_.layer) return Progress::kRefused;
            send_list(wanted.node, wanted.layer, step);
        } else if (reply.type == tile::kDone) {
            reading_ = true;
            step = Step{};
            step.message = bare_message(tile::kReadTopK);
        } else {
            return Progress::kRefused;
        }
        return Progress::kNext;
    }

private:
    /// Whether the memory of a Hot chip holds it: Layer A, the graph above layer 0.
    bool in_layer_a(uint32_t layer) const {
        return layer > 0 && work_.scenario->profile == tile::kHotProfile;
    }

    void send_list(uint64_t node, uint32_t layer, Step& step) {
        const Graph& graph = *work_.graph;
        ids_.clear();
        if (node == kEntryPoints) {
            ids_.push_back(graph.entry);
        } else if (layer < graph.lists[node].size()) {
            const auto& rows = graph.lists[node][layer];
            ids_.assign(rows.begin(), rows.end());
        }
        list_ = {node, layer, static_cast<uint16_t>(ids_.size()), 0};
        Load load;
        load.type = tile::kLoadNeighbors;
        load.base = tile::kHotCache;
        load.list_header = &list_;
        load.ids = ids_.data();
        step = Step{};
        step.message = load_messages(load).front();
        step.from_chip = step.layer_a = in_layer_a(layer);
    }

    /// The vectors of the next ids of the list, as many as the hot cache holds.
    void send_vectors(const ListHeader& wanted, Step& step) {
        const Stored& stored = work_.stored;
        size_t room = (tile::kQuery - tile::kHotCache) / stored.row_bytes;
        size_t count = std::min(ids_.size() - wanted.done, room);
        rows_.clear();
        for (size_t i = wanted.done; i < wanted.done + count; ++i) {
            auto row = stored.rows.begin() + static_cast<ptrdiff_t>(ids_[i] * stored.row_bytes);
            rows_.insert(rows_.end(), row, row + static_cast<ptrdiff_t>(stored.row_bytes));
        }
        Load load;
        load.base = tile::kHotCache;
        load.count = static_cast<uint16_t>(count);
        load.kind = static_cast<uint8_t>(stored.dtype);
        load.data = rows_.data();
        load.bytes = rows_.size();
        std::vector<Bytes> messages = load_messages(load);
        queue_.assign(messages.rbegin(), messages.rend());

        uint32_t crc = work_.operands_prefix[query_];
        crc = crc32c(crc, &wanted, sizeof(wanted));
        crc = crc32c(crc, ids_.data(), 8 * ids_.size());
        operands_ = crc32c(crc, rows_.data(), rows_.size());
        pop(step);
    }

    void pop(Step& step) {
        step = Step{};
        step.message = queue_.back();
        step.from_chip = step.layer_a = in_layer_a(list_.layer);
        queue_.pop_back();
        if (!queue_.empty()) return;
        step.operands = operands_;
        step.rows = static_cast<uint32_t>(rows_.size() / work_.stored.row_bytes);
    }

    ListHeader list_{};         ///< the one that the tile has
    std::vector<uint64_t> ids_; ///< of it
    std::vector<uint8_t> rows_;
    std::vector<Bytes> queue_; ///< parts to send, last one first
    uint32_t operands_ = 0;
    bool reading_ = false;
};

} // namespace

std::unique_ptr<Job> make_search_job(const Work& work, uint32_t query) {
    return std::make_unique<SearchJob>(work, query);
}

std::string check_graph(const Work& work) {
    if (work.graph == nullptr) return "mode graph needs a graph, and there is none";
    const Graph& graph = *work.graph;
    size_t rows = work.data->ids.size();
    if (graph.lists.size() != rows || graph.entry >= rows || graph.lists[graph.entry].empty()) {
        return "the graph does not belong to the vectors: it has another number of nodes";
    }
    for (const auto& layers : graph.lists) {
        for (const auto& list : layers) {
            if (list.size() > kMostNeighbors) {
                return "a node has " + std::to_string(list.size()) +
                       " neighbours; a message carries " + std::to_string(kMostNeighbors);
            }
            for (uint32_t row : list) {
                if (row >= rows)
                    return "the graph names row " + std::to_string(row) + ", which is not there";
            }
        }
    }
    return {};
}

} // namespace rvf::hub
