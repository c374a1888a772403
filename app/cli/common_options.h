#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/base/dtype.h"
#include "core/base/job_context.h"

namespace CLI {
class App;
}

namespace spd::cli {

/// The options that every command shares (design: the command line contract).
struct CommonOptions {
    bool json = false;
    bool verbose = false;
    std::string device = "auto";
    std::string dtype;  ///< empty: the command's default
    int threads = 0;    ///< 0: one per processor this process may use
    uint64_t seed = 42;
    std::filesystem::path workspace;  ///< never empty after parsing
    bool overwrite = false;
};

/// What main() runs after parsing; returns the exit code, throws spd::Error or spd::Cancelled.
using Command = std::function<int(const CommonOptions&, const JobContext&)>;

/// Adds the shared options to one subcommand.
void addCommonOptions(CLI::App& command, CommonOptions& options);

/// @throws Error invalid_argument when `out`, or a file that will be made beside it, is the input file itself
void refuseSameFile(const std::filesystem::path& input, const std::filesystem::path& out, const char* what);

/// --dtype, else `fallback`.
DType chosenDType(const CommonOptions& options, DType fallback);

/// --threads, else the number of processors this process may run on.
int chosenThreads(const CommonOptions& options);

}  // namespace spd::cli
