// What is said of files that cannot be opened.
#pragma once

#include "kernel/status.h"

namespace rvf::sim {

/// Completes "FILE is ..." for a status that opening a file answers.
const char* status_text(Status status);

} // namespace rvf::sim
