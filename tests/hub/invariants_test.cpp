// The invariants see what they are there to see.
#include "host/hub/invariants.h"

#include "tests/hub/support.h"

namespace rvf::hub {
namespace {

class Watched : public testing::Test {
protected:
    Watched() : tiles(2) {
        tiles.start(0);
        tiles.start(1);
        tell(EventKind::kStart, 0);
        tell(EventKind::kStart, 1);
    }

    void tell(EventKind kind, uint32_t tile, uint32_t job = 0) {
        Event event;
        event.kind = kind;
        event.tile = tile;
        event.job = job;
        watch.on_event(event);
    }

    /// The true answers over the first `count` rows, as f32.
    std::vector<Answer> nearest(uint32_t count) const {
        Data some = data;
        some.ids.resize(count);
        some.rows.resize(size_t{count} * data.dimension);
        return expected(scenario, some, queries).front();
    }

    Scenario scenario;
    Data data = random_data(1, 100, 8);
    std::vector<std::vector<float>> queries = random_queries(2, 1, 8);
    sandbox::SandboxTiles tiles;
    Observer nobody;
    Invariants watch{scenario, data, queries, tiles, nobody};
};

TEST_F(Watched, NothingIsWrongWithAGoodRun) {
    tell(EventKind::kSend, 1);
    tell(EventKind::kFinish, 1, 0);
    watch.on_answers(0, 0, 60, nearest(60));
    tell(EventKind::kFinish, 0, 1);
    watch.on_answers(0, 60, 40, nearest(100));
    EXPECT_EQ(watch.error(), "");
}

TEST_F(Watched, AJobThatEndsTwice) {
    tell(EventKind::kFinish, 0, 3);
    tell(EventKind::kLocal, ~0u, 3);
    EXPECT_EQ(watch.error(), "a job that has ended ends again (after: 0 ns, hub: compute job 3)");
}

TEST_F(Watched, AMessageToATileThatIsOut) {
    tell(EventKind::kQuarantine, 1);
    EXPECT_EQ(watch.error(), "");
    tell(EventKind::kSend, 1);
    EXPECT_EQ(watch.error().substr(0, 33), "a message to a tile that is out (");
}

TEST_F(Watched, AMessageToATileThatWasNeverStarted) {
    tell(EventKind::kSend, 7);
    EXPECT_EQ(watch.error().substr(0, 33), "a message to a tile that is out (");
}

TEST_F(Watched, ARedZoneOfATileThatTheEventIsNotAbout) {
    tiles.sabotage(0, sim::Sabotage::kWriteRedZone);
    tell(EventKind::kFinding, 0);
    EXPECT_EQ(watch.error(), ""); // just found
    tell(EventKind::kSend, 1);
    EXPECT_EQ(watch.error().substr(0, 36), "the red zone of tile 0 is not zero (");
}

TEST_F(Watched, AnAnswerThatIsMissing) {
    std::vector<Answer> answers = nearest(60);
    answers.pop_back();
    watch.on_answers(0, 0, 60, answers);
    EXPECT_EQ(watch.error().substr(0, 44), "query 0 so far: 9 answers instead of 10 (aft");
}

TEST_F(Watched, AnAnswerThatIsNotAmongTheNearest) {
    std::vector<Answer> answers = nearest(100);
    answers[0] = nearest(1).front(); // with its right distance, but far away
    std::sort(answers.begin(), answers.end(),
              [](const Answer& a, const Answer& b) { return a.distance < b.distance; });
    watch.on_answers(0, 0, 100, answers);
    EXPECT_NE(watch.error().find("is not among the nearest 10"), std::string::npos)
        << watch.error();
}

TEST_F(Watched, AnAnswerFromABlockThatNobodyHasCompared) {
    watch.on_answers(0, 0, 1, nearest(2));
    EXPECT_NE(watch.error(), "");
}

TEST_F(Watched, ADistanceThatIsOffByMoreThanRounding) {
    std::vector<Answer> answers = nearest(60);
    answers[3].distance *= 1 + 0x1p-16f;
    watch.on_answers(0, 0, 60, answers);
    EXPECT_NE(watch.error().find("the distance of id"), std::string::npos) << watch.error();
}

} // namespace
} // namespace rvf::hub
