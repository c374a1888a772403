#include "app/cli/common_options.h"

#include <fmt/format.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <charconv>

#include "core/base/error.h"
#include "core/io/model_locator.h"

namespace spd::cli {

namespace {

/// CLI11 takes -1 and what is too large for 2^64 - 1; a seed has one spelling.
std::string seedProblem(const std::string& text) {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_seed = error == std::errc() && end == text.data() + text.size();
    return is_seed ? "" : "must be a whole number from 0 to 18446744073709551615";
}

}  // namespace

void addCommonOptions(CLI::App& command, CommonOptions& options) {
    command.add_flag("--json", options.json, "Print the result as JSON on standard output");
    command.add_flag("-v,--verbose", options.verbose, "Say more on standard error");
    command.add_option("--device", options.device, "Where to compute")
        ->check(CLI::IsMember({"auto", "cpu"}))
        ->capture_default_str();
    command.add_option("--dtype", options.dtype, "Type to compute in")
        ->check(CLI::IsMember({"float32", "bfloat16", "float16"}));
    command.add_option("--threads", options.threads, "Threads to compute with; 0: one per processor")
        ->check(CLI::Range(0, 1024));
    command.add_option("--seed", options.seed, "Seed of everything that is drawn")
        ->check(CLI::Validator(seedProblem, "UINT64"))
        ->capture_default_str();
    command.add_option("--workspace", options.workspace, "Folder of models, runs and the database");
    command.add_flag("--overwrite", options.overwrite,
                     "Begin anew: replace what lies at the output, a folder with all that is in it");
}

void refuseSameFile(const std::filesystem::path& input, const std::filesystem::path& out, const char* what) {
    std::error_code unknown;  // of a path that is not there: then they are not the same file
    if (std::filesystem::equivalent(input, out, unknown))
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("--out would replace {} {}", what, printable(out.native(), 1000)));
}

DType chosenDType(const CommonOptions& options, DType fallback) {
    return options.dtype.empty() ? fallback : *parseDType(options.dtype);
}

int chosenThreads(const CommonOptions& options) {
    if (options.threads > 0)
        return options.threads;
    cpu_set_t processors;
    if (sched_getaffinity(0, sizeof processors, &processors) != 0)
        return 1;
    return CPU_COUNT(&processors);
}

}  // namespace spd::cli
