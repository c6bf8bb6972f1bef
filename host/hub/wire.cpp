// The tile's end of a link, and the wire: what arrives, what goes wrong with it, and what goes
// back.
#include <algorithm>
#include <cstring>

#include "host/hub/run.h"
#include "host/hub/timing.h"

namespace rvf::hub {

namespace {

/// Waiting starts when the message leaves; one that is delayed comes when nobody waits any more.
uint64_t delay(const Scenario& scenario) { return 3 * scenario.timeout_ns / 2; }

bool is_sabotage(FaultKind kind) {
    return kind <= FaultKind::kLoopForever || kind == FaultKind::kWriteRedZone;
}

sim::Sabotage sabotage_of(FaultKind kind) {
    switch (kind) {
        case FaultKind::kOutOfBounds:
            return sim::Sabotage::kOutOfBounds;
        case FaultKind::kUnreachable:
            return sim::Sabotage::kUnreachable;
        case FaultKind::kExhaustStack:
            return sim::Sabotage::kExhaustStack;
        case FaultKind::kLoopForever:
            return sim::Sabotage::kLoopForever;
        default:
            return sim::Sabotage::kWriteRedZone;
    }
}

} // namespace

bool is_wire_fault(FaultKind kind) {
    return kind == FaultKind::kLose || kind == FaultKind::kDuplicate || kind == FaultKind::kDelay ||
           kind == FaultKind::kCorrupt;
}

Event message_event(EventKind kind, uint32_t tile, const Bytes& message) {
    Event event;
    event.kind = kind;
    event.tile = tile;
    event.type = type_of(message);
    event.id = id_of(message);
    event.bytes = static_cast<uint32_t>(message.size());
    return event;
}

void Run::later(Pending pending, uint64_t in_ns) {
    pending.time_ns = now_ns_ + in_ns;
    pending.order = order_++;
    pending_.push(std::move(pending));
}

/// Puts a message on its way; a fault may keep it, double it, delay it or change it.
void Run::transmit(Pending message, uint64_t takes_ns, const Fault* fault) {
    if (fault != nullptr) {
        if (fault->kind == FaultKind::kLose) return;
        if (fault->kind == FaultKind::kDelay) takes_ns += delay(scenario_);
        if (fault->kind == FaultKind::kCorrupt) plan_.flip(message.bytes, fault->bits);
        if (fault->kind == FaultKind::kDuplicate) {
            Pending again = message;
            again.faulty = false;
            later(std::move(again), 2 * takes_ns);
        }
    }
    later(std::move(message), takes_ns);
}

void Run::on_tile(Pending& arrived) {
    uint32_t tile = arrived.tile;
    Link& link = links_[tile];
    if (link.quarantined || !link.ready) return; // nobody is there
    FaultKind kind = arrived.fault.kind;
    if (arrived.faulty && kind == FaultKind::kTileDies) link.dead = true;
    if (arrived.faulty && kind == FaultKind::kAllTilesDie) {
        for (Link& each : links_) each.dead = true;
    }
    if (link.dead || link.trapped) return;
    bool wrong_id = arrived.faulty && kind == FaultKind::kWrongId;
    if (arrived.faulty && kind == FaultKind::kFlipBits) flip_memory(tile, arrived.fault.bits);
    sim::Outcome outcome = sim::Outcome::kReturned;
    if (arrived.faulty && is_sabotage(kind)) outcome = tiles_->sabotage(tile, sabotage_of(kind));
    if (outcome == sim::Outcome::kReturned) {
        tiles_->write(tile, tile::kMessage, arrived.bytes.data(),
                      static_cast<uint32_t>(arrived.bytes.size()));
        outcome = tiles_->ring(tile);
    }
    if (!tiles_->red_zone_is_zero(tile)) return fault(tile, Finding::kRedZone);
    if (outcome != sim::Outcome::kReturned) return trapped(tile, outcome);
    reply_from(tile, arrived, wrong_id);
}

/// Bits of the tile's own memory, wherever it is.
void Run::flip_memory(uint32_t tile, uint32_t bits) {
    constexpr uint32_t kData = tile::kDataEnd;
    constexpr uint32_t kAll = kData + tile::kScratchEnd - tile::kScratch;
    for (uint32_t i = 0; i < bits; ++i) {
        auto place = static_cast<uint32_t>(random_.below(kAll));
        uint32_t address = place < kData ? place : place - kData + tile::kScratch;
        uint8_t byte = 0;
        tiles_->read(tile, address, &byte, 1);
        byte = static_cast<uint8_t>(byte ^ 1u << random_.below(8));
        tiles_->write(tile, address, &byte, 1);
    }
}

/// The sandbox caught it; the hub learns of it when the tile should have answered.
void Run::trapped(uint32_t tile, sim::Outcome outcome) {
    bool stopped = outcome == sim::Outcome::kDeadline;
    links_[tile].trapped = true;
    Pending trap;
    trap.what = What::kTrap;
    trap.tile = tile;
    trap.id = links_[tile].starts;
    trap.finding = stopped ? Finding::kDeadline : Finding::kTrap;
    later(std::move(trap), stopped ? kDeadline : kHubLatency);
}

void Run::reply_from(uint32_t tile, const Pending& arrived, bool wrong_id) {
    Link& link = links_[tile];
    Bytes reply(sizeof(tile::MessageHeader));
    tiles_->read(tile, tile::kMessage, reply.data(), sizeof(tile::MessageHeader));
    tile::MessageHeader header;
    std::memcpy(&header, reply.data(), sizeof(header));
    uint32_t length = std::min<uint32_t>(header.length, tile::kMaxPayload);
    reply.resize(sizeof(header) + length);
    tiles_->read(tile, tile::kMessage, reply.data(), static_cast<uint32_t>(reply.size()));
    if (wrong_id) stamp(reply, id_of(reply) + 1 + static_cast<uint32_t>(random_.below(1000)));

    uint64_t worked = handling(arrived.bytes.size());
    uint16_t type = type_of(arrived.bytes);
    if (type == tile::kCompute || type == tile::kLoadBlock) {
        worked += comparing(link.step.rows, work_.stored.dimension);
    }
    report_.tiles[tile].busy_ns += worked;
    Event event = message_event(EventKind::kReceive, tile, arrived.bytes);
    event.took_ns = worked;
    tell(event);

    Pending back;
    back.what = What::kAtHub;
    back.tile = tile;
    back.bytes = std::move(reply);
    bool on_the_way = arrived.faulty && is_wire_fault(arrived.fault.kind);
    uint64_t takes = worked + kHubLatency + transfer(back.bytes.size());
    transmit(std::move(back), takes, on_the_way ? &arrived.fault : nullptr);
}

} // namespace rvf::hub
