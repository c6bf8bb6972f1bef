// Who does what: tasks are given to tiles, taken back from faulted ones, and computed here when no
// tile is left; their answers are merged.
#include <algorithm>
#include <cmath>

#include "host/hub/local_tile.h"
#include "host/hub/run.h"
#include "host/hub/stored.h"

namespace rvf::hub {

namespace {

/// Failures that a run takes before the hub goes on alone.
constexpr uint64_t kPatience = 100'000;
constexpr uint64_t kPatiencePerJob = 100;

} // namespace

Run::Run(const Work& work, sim::Tiles* tiles, Observer& observer, BlockCodec* codec)
    : work_(work),
      scenario_(*work.scenario),
      tiles_(tiles),
      observer_(observer),
      codec_(codec),
      random_(work.scenario->seed),
      plan_(work.scenario->faults, random_),
      fresh_state_(LocalTile().state_checksum()),
      links_(work.scenario->tiles) {
    report_.tiles.resize(links_.size());
    for (Link& link : links_) link.quarantined = tiles == nullptr;
    report_.answers.resize(work.queries.size());
}

Report Run::go() {
    make_tasks();
    for (uint32_t tile = 0; tile < links_.size() && !tasks_.empty(); ++tile) {
        if (!links_[tile].quarantined && report_.error.empty()) start(tile);
    }
    while (done_ < tasks_.size() && report_.error.empty()) {
        assign();
        if (done_ == tasks_.size() || !report_.error.empty()) break;
        if (pending_.empty()) {
            broken("nothing is under way and " + std::to_string(tasks_.size() - done_) +
                   " jobs are not done");
            break;
        }
        Pending next = pending_.top();
        pending_.pop();
        now_ns_ = next.time_ns;
        switch (next.what) {
            case What::kAtTile:
                on_tile(next);
                break;
            case What::kAtHub:
                on_hub(next);
                break;
            case What::kStarted:
                on_started(next.tile);
                break;
            case What::kTimeout:
                if (links_[next.tile].id == next.id) resend_or_fault(next.tile, Finding::kNoReply);
                break;
            case What::kTrap:
                if (!links_[next.tile].quarantined && links_[next.tile].starts == next.id) {
                    fault(next.tile, next.finding);
                }
                break;
        }
    }
    close();
    return std::move(report_);
}

/// Every query asks every block, or walks the graph once.
void Run::make_tasks() {
    auto rows = static_cast<uint32_t>(work_.data->ids.size());
    if (rows == 0) return;
    uint32_t most = scenario_.mode == Mode::kGraph ? rows : block_rows(work_.stored);
    for (uint32_t query = 0; query < work_.queries.size(); ++query) {
        for (uint32_t first = 0; first < rows; first += most) {
            Task task;
            task.first = first;
            task.count = std::min(most, rows - first);
            task.job = scenario_.mode == Mode::kGraph
                           ? make_search_job(work_, query)
                           : make_block_job(work_, query, first, task.count);
            waiting_.push_back(static_cast<uint32_t>(tasks_.size()));
            tasks_.push_back(std::move(task));
        }
    }
    report_.jobs = tasks_.size();
}

void Run::assign() {
    // After so many failures the rest is computed here: no scenario keeps a run going for ever.
    bool patient =
        report_.resent + report_.reassigned < kPatience + kPatiencePerJob * tasks_.size();
    bool none_left = !patient || std::all_of(links_.begin(), links_.end(),
                                             [](const Link& link) { return link.quarantined; });
    while (!waiting_.empty() && report_.error.empty()) {
        uint32_t task = waiting_.front();
        if (none_left || tasks_[task].attempts >= scenario_.attempts) {
            waiting_.pop_front();
            compute_here(task);
            continue;
        }
        if (idle_.empty()) return;
        uint32_t tile = idle_.front();
        idle_.pop_front();
        waiting_.pop_front();
        Link& link = links_[tile];
        if (link.quarantined || !link.ready || link.task != kNone) {
            broken("a job was given to a tile that cannot take it");
            return;
        }
        link.task = task;
        link.since_ns = now_ns_;
        link.prepared = false;
        link.preparing.clear();
        uint32_t query = tasks_[task].job->query();
        if (!link.set_up) link.preparing.assign(work_.setup.begin(), work_.setup.end());
        if (!link.set_up || link.query != query) {
            const auto& messages = work_.queries[query];
            link.preparing.insert(link.preparing.end(), messages.begin(), messages.end());
        }
        ++tasks_[task].attempts;
        tell_job(EventKind::kAssign, tile, task);
        if (!share_block(tile, tasks_[task])) {
            report_.error = "the codec did not give back the block that it was given";
            return;
        }
        send_next(tile);
    }
}

void Run::finish(uint32_t tile) {
    Link& link = links_[tile];
    uint32_t task = link.task;
    link.task = kNone;
    link.faults_in_row = 0;
    idle_.push_back(tile);
    ++report_.jobs_on_tiles;
    ++report_.tiles[tile].jobs;
    tell_job(EventKind::kFinish, tile, task, now_ns_ - link.since_ns);
    keep(tasks_[task]);
}

/// Merges a job's pairs into the answer to its query. A tile's top-K spans all blocks that it has
/// seen for the query, so an id may come again, with the same distance.
void Run::keep(Task& task) {
    if (++task.answers != 1) return broken("a block was answered twice");
    std::vector<Answer>& answers = report_.answers[task.job->query()];
    for (const Pair& pair : task.job->pairs) {
        auto same = [&](const Answer& answer) { return answer.id == pair.id; };
        auto found = std::find_if(answers.begin(), answers.end(), same);
        if (!std::isfinite(pair.distance)) return broken("a distance is not finite");
        if (found == answers.end()) {
            answers.push_back({pair.id, pair.distance});
        } else if (found->distance != pair.distance) {
            return broken("an id has two distances");
        }
    }
    std::sort(answers.begin(), answers.end(), [](const Answer& a, const Answer& b) {
        return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
    });
    if (answers.size() > scenario_.k) answers.resize(scenario_.k);
    observer_.on_answers(task.job->query(), task.first, task.count, answers);
    task.job.reset(); // it holds all messages of its rows
    observer_.on_progress(++done_, report_.jobs);
}

/// The tile cannot do its task: somebody else has to, and first of all.
void Run::take_back(uint32_t tile) {
    Link& link = links_[tile];
    link.id = 0;
    if (link.task == kNone) return;
    waiting_.push_front(link.task);
    link.task = kNone;
    ++report_.reassigned;
}

/// The hub's own kernel goes through the same messages.
void Run::compute_here(uint32_t index) {
    Task& task = tasks_[index];
    tell_job(EventKind::kLocal, kNone, index);
    ++report_.jobs_local;

    LocalTile local;
    Bytes bytes;
    Reply reply;
    auto serve = [&](Bytes message) {
        stamp(message, ++last_id_);
        bytes = local.serve(message);
        return read_reply(bytes, reply) && reply.type != tile::kError;
    };
    bool served = true;
    for (const Bytes& message : work_.setup) served = served && serve(message);
    for (const Bytes& message : work_.queries[task.job->query()]) served = served && serve(message);
    Step step;
    task.job->begin(step);
    Job::Progress progress = Job::Progress::kNext;
    while (served && progress == Job::Progress::kNext) {
        served = serve(step.message);
        bool sound = !step.operands || *step.operands == reply.header.operands;
        if (served && sound) progress = task.job->next(reply, step);
        if (!sound) progress = Job::Progress::kRefused;
    }
    if (progress == Job::Progress::kDone) return keep(task);
    report_.error = "job " + std::to_string(index) +
                    " cannot be computed: the kernel refuses message type " +
                    std::to_string(type_of(step.message)) + " with code " +
                    std::to_string(reply.type == tile::kError ? error_of(reply).code : 0);
}

/// The last invariants.
void Run::close() {
    for (const Task& task : tasks_) {
        if (report_.error.empty() && task.answers != 1) broken("a block was never answered");
    }
    size_t wanted = std::min<size_t>(scenario_.k, work_.data->ids.size());
    for (const auto& answers : report_.answers) {
        bool all = answers.size() == wanted || scenario_.mode == Mode::kGraph;
        if (report_.error.empty() && !all) broken("a query has too few answers");
    }
    for (const Link& link : links_) report_.tiles_left += link.quarantined ? 0 : 1;
    if (tasks_.empty()) report_.tiles_left = scenario_.tiles;
    for (uint32_t tile = 0; tile < links_.size(); ++tile) {
        if (!tasks_.empty() && !links_[tile].quarantined) tiles_->stop(tile);
        report_.tiles[tile].quarantined = links_[tile].quarantined;
    }
    report_.virtual_ns = now_ns_;
}

void Run::tell(Event event) {
    event.time_ns = now_ns_;
    observer_.on_event(event);
}

void Run::tell(EventKind kind, uint32_t tile, uint8_t code) {
    Event event;
    event.kind = kind;
    event.tile = tile;
    event.code = code;
    tell(event);
}

void Run::tell_job(EventKind kind, uint32_t tile, uint32_t task, uint64_t took_ns) {
    Event event;
    event.kind = kind;
    event.tile = tile;
    event.job = task;
    event.took_ns = took_ns;
    tell(event);
}

void Run::broken(const std::string& invariant) {
    if (report_.error.empty()) report_.error = "the simulator contradicts itself: " + invariant;
}

namespace {

Report answer(const Scenario& scenario, const Data& data, const Graph* graph,
              const std::vector<std::vector<float>>& queries, sim::Tiles* tiles, Observer& observer,
              BlockCodec* codec) {
    Work work;
    Report report;
    report.error = prepare(scenario, data, graph, queries, work);
    report.refused = !report.error.empty();
    return report.refused ? report : Run(work, tiles, observer, codec).go();
}

} // namespace

Report run(const Scenario& scenario, const Data& data, const Graph* graph,
           const std::vector<std::vector<float>>& queries, sim::Tiles& tiles, Observer& observer,
           BlockCodec* codec) {
    return answer(scenario, data, graph, queries, &tiles, observer, codec);
}

Report run_alone(const Scenario& scenario, const Data& data, const Graph* graph,
                 const std::vector<std::vector<float>>& queries, Observer& observer) {
    return answer(scenario, data, graph, queries, nullptr, observer, nullptr);
}

} // namespace rvf::hub
