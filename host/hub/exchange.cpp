// The hub's end of a link: what it sends, what it thinks of the replies, and what it does about a
// tile that fails.
#include "host/hub/run.h"
#include "host/hub/timing.h"

namespace rvf::hub {

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
    tell(EventKind::kStart, tile);
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
    tell(EventKind::kFinding, tile, static_cast<uint8_t>(finding));

    std::erase(idle_, tile);
    link.ready = false;
    take_back(tile);
    if (++link.faults_in_row < scenario_.quarantine_after) {
        ++report_.tiles[tile].restarts;
        return start(tile);
    }
    link.quarantined = true;
    tiles_->stop(tile);
    tell(EventKind::kQuarantine, tile);
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
        tell(EventKind::kFault, tile, static_cast<uint8_t>(fault.kind));
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

} // namespace rvf::hub
