#pragma once

#include <array>

#include "app/cli/calibration.h"
#include "app/cli/engine/workplace.h"
#include "core/engine/server.h"
#include "core/protocol/params.h"
#include "core/subspace/projection.h"

namespace spd::cli {

// What an engine answers, a subject each, as core/protocol/PROTOCOL.md has it. Both outlive the server's
// run().
void addModelMessages(engine::Server& server, Workplace& workplace);
void addTextMessages(engine::Server& server, Workplace& workplace);
void addMachineMessages(engine::Server& server, Workplace& workplace);
void addCalibrationMessages(engine::Server& server, Workplace& workplace);
void addSubspaceMessages(engine::Server& server, Workplace& workplace);
void addCorpusMessages(engine::Server& server, Workplace& workplace);
void addRunMessages(engine::Server& server, Workplace& workplace);
void addLineageMessage(engine::Server& server, Workplace& workplace);

// Params that several messages share. All @throws Refusal invalid_params; Error invalid_argument

/// "task", "data", "n", "code_span", "tests_in_prompt", "path" and "seed".
ExampleSource exampleSourceOf(protocol::Params& params);
/// @param list  the param "examples", null where there is none.
void requireOneSource(const ExampleSource& source, const nlohmann::ordered_json& list);
/// "rank" or "rank_rule"; empty: the default.
std::string rankRuleOf(protocol::Params& params);
/// What projectionOf() reads.
inline constexpr std::array kProjectionKeys = {"project_layers", "rank",     "rank_rule",
                                               "project",        "strength", "control",
                                               "when",           "apply",    "allow_arbitrary"};
ProjectionSettings projectionOf(protocol::Params& params);
/// "seed", 42 where there is none.
uint64_t seedOf(protocol::Params& params);

}  // namespace spd::cli
