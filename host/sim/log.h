// The event log: everything that happens, one line each, in order. The same run writes the same
// bytes everywhere.
#pragma once

#include "host/hub/hub.h"
#include "host/sim/output.h"

namespace rvf::sim {

class EventLog final : public hub::Observer {
public:
    explicit EventLog(Output& output) : output_(output) {}

    void on_event(const hub::Event& event) override { output_.write(hub::text_of(event) + "\n"); }

private:
    Output& output_;
};

} // namespace rvf::sim
