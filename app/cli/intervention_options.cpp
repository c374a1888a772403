#include "app/cli/intervention_options.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace spd::cli {

void addInterventionOptions(CLI::App& command, InterventionRequest& request) {
    command.add_option("--adapter", request.adapter, "LoRA adapter: a folder with adapter_config.json")
        ->group("Intervention");
}

void printWarning(const std::string& warning) {
    std::cerr << "spd: warning: " << warning << "\n";
}

}  // namespace spd::cli
