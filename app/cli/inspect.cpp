// spd inspect: what a checkpoint folder holds, whether it loads, and what it will need.

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/inspection.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;

void print(const ordered_json& json) {
    std::cout << json.dump(2, ' ', false, ordered_json::error_handler_t::replace) << "\n";
}

int run(const std::string& model, int64_t context, const CommonOptions& common, const JobContext& job) {
    try {
        const Inspection found = inspectModel(model, context, common, job);
        if (common.json)
            print(inspectionJson(found));
        else
            printInspection(found, common.verbose);
        return found.refusals.empty() ? 0 : 3;
    } catch (const Error& error) {  // refused before there was anything to report on
        if (common.json && error.exitCode() == 3)
            print(refusedInspectionJson(model, error));
        throw;
    }
}

}  // namespace

void addInspect(CLI::App& app, CommonOptions& options, Command& chosen) {
    struct Arguments {
        std::string model;
        int64_t context = 2048;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command =
        app.add_subcommand("inspect", "What a checkpoint holds, whether it loads, and what it needs");
    command
        ->add_option("MODEL", arguments->model,
                     "Checkpoint folder, ORG/NAME in the Hugging Face cache, or a name")
        ->required();
    command->add_option("--context", arguments->context, "Positions of a sequence for the memory forecast")
        ->check(CLI::Range(int64_t{1}, int64_t{1} << 31))
        ->capture_default_str();
    addCommonOptions(*command, options);
    command->callback([arguments, &chosen] {
        chosen = [arguments](const CommonOptions& common, const JobContext& job) {
            return run(arguments->model, arguments->context, common, job);
        };
    });
}

}  // namespace spd::cli
