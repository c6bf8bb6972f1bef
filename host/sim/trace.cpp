#include "host/sim/trace.h"

#include <cstdio>

namespace rvf::sim {

namespace {

constexpr int kProcess = 1;
constexpr uint32_t kHubRow = 0;

/// The hub is the first row.
uint32_t row_of(uint32_t tile, size_t tiles) { return tile < tiles ? tile + 1 : kHubRow; }

/// Traces count in microseconds.
std::string time_of(uint64_t ns) {
    char text[40];
    std::snprintf(text, sizeof(text), "%llu.%03u", static_cast<unsigned long long>(ns / 1000),
                  static_cast<unsigned>(ns % 1000));
    return text;
}

std::string head(const char* phase, const std::string& name, uint32_t row, uint64_t time_ns) {
    return std::string("\"ph\":\"") + phase + "\",\"name\":\"" + name +
           "\",\"pid\":" + std::to_string(kProcess) + ",\"tid\":" + std::to_string(row) +
           ",\"ts\":" + time_of(time_ns);
}

std::string named(const char* what, uint32_t row, const std::string& name) {
    return std::string("\"ph\":\"M\",\"name\":\"") + what +
           "\",\"pid\":" + std::to_string(kProcess) + ",\"tid\":" + std::to_string(row) +
           ",\"args\":{\"name\":\"" + name + "\"}";
}

std::string instant(const std::string& name, uint32_t row, uint64_t time_ns) {
    return head("i", name, row, time_ns) + ",\"s\":\"t\"";
}

} // namespace

Trace::Trace(Output& output, uint32_t tiles) : output_(output), rows_(tiles), tiles_left_(tiles) {
    output_.write("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
    put(named("process_name", kHubRow, "rvf-sim"));
    put(named("thread_name", kHubRow, "hub"));
    for (uint32_t tile = 0; tile < tiles; ++tile) {
        put(named("thread_name", row_of(tile, tiles), "tile " + std::to_string(tile)));
    }
    for (uint32_t row = 0; row <= tiles; ++row) {
        put("\"ph\":\"M\",\"name\":\"thread_sort_index\",\"pid\":" + std::to_string(kProcess) +
            ",\"tid\":" + std::to_string(row) + ",\"args\":{\"sort_index\":" + std::to_string(row) +
            "}");
    }
    count("tiles left", 0, tiles_left_);
    count("faults", 0, 0);
}

void Trace::put(const std::string& fields) {
    output_.write(first_ ? "{" : ",\n{");
    first_ = false;
    output_.write(fields);
    output_.write("}");
}

void Trace::count(const char* name, uint64_t time_ns, uint64_t value) {
    put(head("C", name, kHubRow, time_ns) + ",\"args\":{\"value\":" + std::to_string(value) + "}");
}

/// Those that end up to `until_ns`, in order.
void Trace::end_messages(uint64_t until_ns) {
    while (!ends_.empty() && ends_.top().time_ns <= until_ns) {
        End end = ends_.top();
        ends_.pop();
        if (rows_[end.tile].message_end_ns == end.time_ns) end_message(end.tile, end.time_ns);
    }
}

void Trace::end_message(uint32_t tile, uint64_t time_ns) {
    Row& row = rows_[tile];
    if (!row.message) return;
    put(head("E", hub::message_name(*row.message), row_of(tile, rows_.size()), time_ns));
    row.message.reset();
}

void Trace::end_job(uint32_t tile, uint64_t time_ns, const char* how) {
    if (tile >= rows_.size()) return;
    end_message(tile, time_ns);
    Row& row = rows_[tile];
    if (!row.job) return;
    put(head("E", "job " + std::to_string(*row.job), row_of(tile, rows_.size()), time_ns) +
        ",\"args\":{\"ended\":\"" + how + "\"}");
    row.job.reset();
    count("jobs running", time_ns, --running_);
}

void Trace::on_event(const hub::Event& event) {
    using Kind = hub::EventKind;
    uint32_t row = row_of(event.tile, rows_.size());
    uint64_t now = event.time_ns;
    std::string job = "job " + std::to_string(event.job);
    last_ns_ = now;
    end_messages(now);
    switch (event.kind) {
        case Kind::kAssign:
            end_message(event.tile, now);
            rows_[event.tile].job = event.job;
            put(head("B", job, row, now) + ",\"cat\":\"job\"");
            count("jobs running", now, ++running_);
            break;
        case Kind::kFinish:
            end_job(event.tile, now, "done");
            count("jobs done", now, ++done_);
            break;
        case Kind::kReceive:
            end_message(event.tile, now);
            rows_[event.tile].message = event.type;
            rows_[event.tile].message_end_ns = now + event.took_ns;
            ends_.push({now + event.took_ns, event.tile});
            put(head("B", hub::message_name(event.type), row, now) +
                ",\"cat\":\"message\",\"args\":{\"id\":" + std::to_string(event.id) +
                ",\"bytes\":" + std::to_string(event.bytes) + "}");
            break;
        case Kind::kFault:
            put(instant(std::string("fault: ") +
                            hub::fault_name(static_cast<hub::FaultKind>(event.code)),
                        row, now) +
                ",\"cat\":\"fault\"");
            count("faults", now, ++faults_);
            break;
        case Kind::kFinding:
            put(instant(std::string("found: ") +
                            hub::finding_name(static_cast<hub::Finding>(event.code)),
                        row, now) +
                ",\"cat\":\"finding\"");
            end_job(event.tile, now, "taken away");
            break;
        case Kind::kResend:
            put(instant(std::string("again: ") +
                            hub::finding_name(static_cast<hub::Finding>(event.code)),
                        row, now) +
                ",\"cat\":\"finding\"");
            break;
        case Kind::kStart:
            put(instant("start", row, now) + ",\"cat\":\"tile\"");
            break;
        case Kind::kQuarantine:
            put(instant("quarantine", row, now) + ",\"cat\":\"tile\"");
            count("tiles left", now, --tiles_left_);
            break;
        case Kind::kLocal:
            // The hub's own work takes no virtual time.
            put(head("X", job, kHubRow, now) + ",\"dur\":0,\"cat\":\"job\"");
            count("jobs done", now, ++done_);
            break;
        case Kind::kSend:
        case Kind::kReply:
            break; // serving in between is what takes the time
    }
}

void Trace::finish() {
    end_messages(last_ns_);
    for (uint32_t tile = 0; tile < rows_.size(); ++tile) end_job(tile, last_ns_, "stopped");
    output_.write("\n]}\n");
}

} // namespace rvf::sim
