// The memory that tiles of a Hot chip share: blocks, and Layer A of a graph.
#include <algorithm>

#include "host/hub/run.h"
#include "host/hub/stored.h"

namespace rvf::hub {

namespace {

/// "About 10K vectors" lie in a chip's memory; when more come, the oldest block goes.
constexpr size_t kChipRows = 10'240;

/// Bytes of the graph above layer 0: lists, and the vectors of the nodes that are there.
uint64_t layer_a_bytes(const Work& work) {
    uint64_t bytes = 0;
    for (const auto& layers : work.graph->lists) {
        if (layers.size() > 1) bytes += work.stored.row_bytes;
        for (size_t layer = 1; layer < layers.size(); ++layer) {
            bytes += sizeof(ListHeader) + sizeof(uint64_t) * layers[layer].size();
        }
    }
    return bytes;
}

} // namespace

/// Hot: what the tiles of a chip read from its memory, brought there when it is not there yet: the
/// block, or Layer A of the graph. False: the codec did not give back what it was given.
bool Run::share_block(uint32_t tile, const Task& task) {
    if (scenario_.profile != tile::kHotProfile) return true;
    Chip& chip = chips_[tile / scenario_.tiles_per_chip];
    if (scenario_.mode == Mode::kGraph) {
        if (!chip.has_layer_a) report_.bytes_to_chips += layer_a_bytes(work_);
        chip.has_layer_a = true;
        return true;
    }
    Bytes& rows = chip.blocks[task.first];
    if (rows.empty()) {
        auto begin = work_.stored.rows.begin() +
                     static_cast<ptrdiff_t>(size_t{task.first} * work_.stored.row_bytes);
        size_t size = size_t{task.count} * work_.stored.row_bytes;
        Bytes sent(begin, begin + static_cast<ptrdiff_t>(size));
        if (codec_ != nullptr) sent = codec_->compress(sent);
        report_.bytes_to_chips += sent.size();
        if (codec_ == nullptr) {
            rows = std::move(sent);
        } else if (!codec_->expand(sent, size, rows) || rows.size() != size) {
            return false;
        }
        chip.order.push_back(task.first);
        chip.rows += task.count;
        for (; chip.rows > kChipRows && chip.order.size() > 1; chip.order.pop_front()) {
            auto oldest = chip.blocks.find(chip.order.front());
            chip.rows -= oldest->second.size() / work_.stored.row_bytes;
            chip.blocks.erase(oldest);
        }
    }
    task.job->read_from(rows.data());
    return true;
}

} // namespace rvf::hub
