#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace spd::engine {

struct AttachRequest {
    std::filesystem::path workspace;  ///< made when it is not there
    /// The engine's command, started apart from this process when none listens; empty: it must be there.
    std::vector<std::string> engine;
    std::chrono::milliseconds patience{20'000};  ///< for an engine that starts
    int input = 0;                               ///< descriptors
    int output = 1;
};

enum class AttachEnd {
    input_ended,   ///< the window closed its side
    engine_ended,  ///< the engine closed its side: it ended or was killed
    output_gone,   ///< the window is gone
};

/// Relays bytes between two descriptors and the engine of a workspace until one side ends. Holds at most 64
/// KiB of each direction: who does not read is not read from. The engine, if started here, lives on.
/// @throws Error not_found (an engine's program), io (it did not come up: the last line of its log is named)
AttachEnd attach(const AttachRequest& request);

}  // namespace spd::engine
