// Messages between hub and tiles, what goes wrong with them, and how the hub finds out.
#include <algorithm>
#include <cstring>

#include "host/hub/crc32c.h"
#include "host/hub/run.h"
#include "host/hub/timing.h"

namespace rvf::hub {

namespace {

/// Waiting starts when the message leaves; one that is delayed comes when nobody waits any more.
uint64_t delay(const Scenario& scenario) { return 3 * scenario.timeout_ns / 2; }

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

} // namespace

// --- Tiles come and go ---

void Run::start(uint32_t tile) {
    Link& link = links_[tile];
    link.ready = false;
    link.trapped = false;
    ++link.starts;
    link.set_up = false;
    link.query = kNone;
    link.state = fresh_state_;
    if (!tiles_->start(tile)) {
        report_.error =
            "tile " + std::to_string(tile) +
            " could not be started: the system gives no memory for it; take fewer tiles";
        return;
    }
    Event event;
    event.tile = tile;
    event.kind = EventKind::kStart;
    tell(event);
    Pending started;
    started.what = What::kStarted;
    started.tile = tile;
    later(std::move(started), kRestart);
}

void Run::on_started(uint32_t tile) {
    links_[tile].ready = true;
    idle_.push_back(tile);
}

/// Marks the tile as faulted: its task goes to another one, it starts afresh or stays out.
void Run::fault(uint32_t tile, Finding finding) {
    Link& link = links_[tile];
    ++report_.findings[static_cast<size_t>(finding)];
    ++report_.tiles[tile].faults;
    Event event;
    event.tile = tile;
    event.kind = EventKind::kFinding;
    event.code = static_cast<uint8_t>(finding);
    tell(event);

    std::erase(idle_, tile);
    link.ready = false;
    take_back(tile);
    if (++link.faults_in_row < scenario_.quarantine_after) {
        ++report_.tiles[tile].restarts;
        return start(tile);
    }
    link.quarantined = true;
    tiles_->stop(tile);
    event.kind = EventKind::kQuarantine;
    event.code = 0;
    tell(event);
}

// --- Hub to tile ---

/// Sends what the tile needs for its task, then the task's first message.
void Run::send_next(uint32_t tile) {
    Link& link = links_[tile];
    if (!link.preparing.empty()) {
        link.step = Step{};
        link.step.message = std::move(link.preparing.front());
        link.preparing.pop_front();
    } else {
        link.prepared = true;
        tasks_[link.task].job->begin(link.step);
    }
    link.resends = 0;
    send(tile);
}

void Run::send(uint32_t tile) {
    Link& link = links_[tile];
    if (link.quarantined || !link.ready) return broken("a message was sent to a tile that is out");
    link.id = ++last_id_;
    Bytes& message = link.step.message;
    stamp(message, link.id);
    ++report_.messages_to_tiles;
    ++report_.tiles[tile].messages;
    report_.bytes_to_tiles += message.size();
    if (link.step.layer_a) ++report_.layer_a_hits;
    tell(message_event(EventKind::kSend, tile, message));

    Pending timeout;
    timeout.what = What::kTimeout;
    timeout.tile = tile;
    timeout.id = link.id;
    later(std::move(timeout), scenario_.timeout_ns);

    Pending arrival;
    arrival.what = What::kAtTile;
    arrival.tile = tile;
    arrival.bytes = message;
    Fault fault;
    bool strikes = plan_.strike(now_ns_, tile, fault);
    if (strikes) {
        ++report_.faults[static_cast<size_t>(fault.kind)];
        Event event;
        event.tile = tile;
        event.kind = EventKind::kFault;
        event.code = static_cast<uint8_t>(fault.kind);
        tell(event);
    }
    bool on_the_way = strikes && is_wire_fault(fault.kind) && fault.direction == Direction::kToTile;
    if (strikes && !on_the_way) {
        arrival.faulty = true;
        arrival.fault = fault;
    }
    uint64_t latency = link.step.from_chip ? kChipLatency : kHubLatency;
    uint64_t takes = latency + transfer(message.size());
    transmit(std::move(arrival), takes, on_the_way ? &fault : nullptr);
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

void Run::resend_or_fault(uint32_t tile, Finding finding) {
    Link& link = links_[tile];
    if (link.resends == scenario_.resends) return fault(tile, finding);
    ++link.resends;
    ++report_.resent;
    ++report_.findings[static_cast<size_t>(finding)];
    Event event = message_event(EventKind::kResend, tile, link.step.message);
    event.code = static_cast<uint8_t>(finding);
    tell(event);
    send(tile);
}

// --- In the tile ---

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
    if (arrived.faulty) {
        sim::Outcome outcome = sim::Outcome::kReturned;
        if (kind == FaultKind::kOutOfBounds) {
            outcome = tiles_->sabotage(tile, sim::Sabotage::kOutOfBounds);
        } else if (kind == FaultKind::kUnreachable) {
            outcome = tiles_->sabotage(tile, sim::Sabotage::kUnreachable);
        } else if (kind == FaultKind::kExhaustStack) {
            outcome = tiles_->sabotage(tile, sim::Sabotage::kExhaustStack);
        } else if (kind == FaultKind::kLoopForever) {
            outcome = tiles_->sabotage(tile, sim::Sabotage::kLoopForever);
        } else if (kind == FaultKind::kWriteRedZone) {
            outcome = tiles_->sabotage(tile, sim::Sabotage::kWriteRedZone);
        } else if (kind == FaultKind::kFlipBits) {
            flip_memory(tile, arrived.fault.bits);
        }
        if (outcome != sim::Outcome::kReturned) return trapped(tile, outcome);
    }
    tiles_->write(tile, tile::kMessage, arrived.bytes.data(),
                  static_cast<uint32_t>(arrived.bytes.size()));
    sim::Outcome outcome = tiles_->ring(tile);
    if (outcome != sim::Outcome::kReturned) return trapped(tile, outcome);
    if (!tiles_->red_zone_is_zero(tile)) return fault(tile, Finding::kRedZone);
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

// --- Tile to hub ---

void Run::on_hub(const Pending& arrived) {
    uint32_t tile = arrived.tile;
    Link& link = links_[tile];
    ++report_.messages_to_hub;
    report_.bytes_to_hub += arrived.bytes.size();
    tell(message_event(EventKind::kReply, tile, arrived.bytes));
    if (link.quarantined || !link.ready || link.id == 0) {
        ++report_.late;
        return;
    }
    Reply reply;
    if (!read_reply(arrived.bytes, reply)) return resend_or_fault(tile, Finding::kBadReply);
    if (reply.id < link.id) {
        ++report_.late; // of a message that has been sent again, or twice
        return;
    }
    if (reply.id > link.id) return fault(tile, Finding::kWrongId);
    if (reply.header.state_before != link.state) return fault(tile, Finding::kStateChanged);
    link.state = reply.header.state_after;
    if (reply.type == tile::kError) return resend_or_fault(tile, Finding::kRefused);
    if (link.step.operands && *link.step.operands != reply.header.operands) {
        return fault(tile, Finding::kBadOperands);
    }
    accept(tile, reply);
}

void Run::accept(uint32_t tile, const Reply& reply) {
    Link& link = links_[tile];
    link.id = 0;
    if (!link.prepared) {
        if (reply.type != tile::kDone) return fault(tile, Finding::kRefused);
        if (link.preparing.empty()) {
            link.set_up = true;
            link.query = tasks_[link.task].job->query();
        }
        return send_next(tile);
    }
    link.resends = 0;
    switch (tasks_[link.task].job->next(reply, link.step)) {
        case Job::Progress::kNext:
            return send(tile);
        case Job::Progress::kDone:
            return finish(tile);
        case Job::Progress::kRefused:
            return fault(tile, Finding::kRefused);
    }
}

void Run::later(Pending pending, uint64_t in_ns) {
    pending.time_ns = now_ns_ + in_ns;
    pending.order = order_++;
    pending_.push(std::move(pending));
}

} // namespace rvf::hub
