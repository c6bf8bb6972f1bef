#include "host/hub/crc32c.h"
#include "host/hub/job.h"

namespace rvf::hub {

namespace {

/// LOAD_BLOCK in parts, COMPUTE, READ_TOPK.
class BlockJob : public Job {
public:
    BlockJob(const Work& work, uint32_t query, uint32_t first, uint32_t count)
        : Job(work, query), first_(first), count_(count) {}

    void read_from(const uint8_t* rows) override { rows_.assign(rows, rows + bytes()); }

    void begin(Step& step) override {
        const Stored& stored = work_.stored;
        const uint8_t* own = stored.rows.data() + size_t{first_} * stored.row_bytes;
        ListHeader header{~uint64_t{0}, 0, static_cast<uint16_t>(count_), 0};
        const uint64_t* ids = work_.data->ids.data() + first_;
        Load load;
        load.base = tile::kBlock;
        load.count = static_cast<uint16_t>(count_);
        load.kind = static_cast<uint8_t>(stored.dtype);
        load.data = rows_.empty() ? own : rows_.data();
        load.bytes = bytes();
        load.list_header = &header;
        load.ids = ids;
        load.row_bytes = stored.row_bytes;
        messages_ = load_messages(load);
        messages_.push_back(bare_message(tile::kCompute));
        messages_.push_back(bare_message(tile::kReadTopK));

        uint32_t crc = work_.operands_prefix[query_];
        crc = crc32c(crc, &header, sizeof(header));
        crc = crc32c(crc, ids, 8 * size_t{count_});
        operands_ = crc32c(crc, own, bytes());

        at_ = 0;
        rows_.clear();
        pairs.clear();
        set(step);
    }

    Progress next(const Reply& reply, Step& step) override {
        bool last = ++at_ == messages_.size();
        if (reply.type != (last ? tile::kTopKResult : tile::kDone)) return Progress::kRefused;
        if (last) {
            pairs = pairs_of(reply);
            return Progress::kDone;
        }
        set(step);
        return Progress::kNext;
    }

private:
    size_t bytes() const { return size_t{count_} * work_.stored.row_bytes; }

    void set(Step& step) {
        step = Step{};
        step.message = messages_[at_];
        step.from_chip = at_ + 2 < messages_.size() && work_.scenario->profile == tile::kHotProfile;
        if (at_ + 2 == messages_.size()) step.rows = count_;
        // COMPUTE leaves the checksum, and READ_TOPK finds it.
        if (at_ + 2 >= messages_.size()) step.operands = operands_;
    }

    uint32_t first_;
    uint32_t count_;
    Bytes rows_; ///< from a chip; empty: the hub's own
    std::vector<Bytes> messages_;
    uint32_t operands_ = 0;
    size_t at_ = 0;
};

} // namespace

std::unique_ptr<Job> make_block_job(const Work& work, uint32_t query, uint32_t first,
                                    uint32_t count) {
    return std::make_unique<BlockJob>(work, query, first, count);
}

} // namespace rvf::hub
