#include "app/cli/common_options.h"

#include <sched.h>

#include <CLI/CLI.hpp>

#include "core/io/model_locator.h"

namespace spd::cli {

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
    command.add_option("--seed", options.seed, "Seed of everything that is drawn")->capture_default_str();
    command.add_option("--workspace", options.workspace, "Folder of models, runs and the database");
    command.add_flag("--overwrite", options.overwrite, "Replace an output that other settings made");
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
