#pragma once

#include "app/cli/engine/workplace.h"
#include "core/engine/server.h"

namespace spd::cli {

// What an engine answers, a subject each, as core/protocol/PROTOCOL.md has it. Both outlive the server's
// run().
void addModelMessages(engine::Server& server, Workplace& workplace);
void addTextMessages(engine::Server& server, Workplace& workplace);
void addMachineMessages(engine::Server& server, Workplace& workplace);

}  // namespace spd::cli
