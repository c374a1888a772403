// spd export hook: a projection as a Python file for transformers.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/export/export_commands.h"
#include "app/cli/intervention_options.h"
#include "core/base/error.h"
#include "core/export/projection_hook.h"

namespace spd::cli {
namespace {

void printSummary(const HookExportSummary& summary, const std::filesystem::path& out, bool json) {
    if (json) {
        const nlohmann::ordered_json result = {
            {"out", out.string()}, {"matrices", summary.matrices.string()}, {"targets", summary.targets}};
        std::cout << result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
        return;
    }
    std::cout << fmt::format(
        "{}: projects {} of K and V in transformers, with the maps in {}; read again, equal\n",
        printable(out.native(), 1000), summary.targets, printable(summary.matrices.filename().native(), 300));
}

}  // namespace

void addExportHook(CLI::App& exports, CommonOptions& common, Command& chosen) {
    auto request = std::make_shared<HookExportRequest>();
    CLI::App* command =
        exports.add_subcommand("hook", "A Python file that applies a projection in transformers");
    addCommonOptions(*command, common);
    addProjectionOptions(*command, request->intervention)->required();
    command->add_option("--out", request->out, "FILE.py; its maps are written beside it")->required();
    command->callback([request, &chosen] {
        chosen = [request](const CommonOptions& options, const JobContext&) {
            request->overwrite = options.overwrite;
            request->on_warning = printWarning;
            printSummary(exportHook(*request), request->out, options.json);
            return 0;
        };
    });
}

}  // namespace spd::cli
