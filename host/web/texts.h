// What goes in and out of a run as text where there are no files: for JavaScript (hub.cpp), and for
// the native program that it is compared with (tests/simulator/web_peer.cpp).
#pragma once

#include <string>
#include <string_view>

#include "host/hub/hub.h"

namespace rvf::web {

/// Reads a scenario file (host/sim/scenario_file.h). Empty, or what is wrong.
std::string read_scenario(std::string_view json, hub::Scenario& scenario);

/// The numbers of a report as one JSON object, without the answers: ids may be larger than numbers
/// of JSON are in JavaScript.
std::string text_of(const hub::Report& report);

/// Every event as one line.
class Log final : public hub::Observer {
public:
    void on_event(const hub::Event& event) override;
    std::string text;
};

} // namespace rvf::web
