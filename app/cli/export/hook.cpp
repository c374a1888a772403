// spd export hook: a projection as a Python file for transformers.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/export/export_commands.h"
#include "app/cli/intervention_options.h"
#include "app/cli/progress_line.h"
#include "core/base/error.h"
#include "core/export/projection_hook.h"
#include "core/model/causal_lm.h"

namespace spd::cli {
namespace {

void printSummary(const HookExportSummary& summary, const std::filesystem::path& out, bool json) {
    if (json) {
        nlohmann::ordered_json result = {{"out", out.string()},
                                         {"matrices", summary.matrices.string()},
                                         {"targets", summary.targets},
                                         {"logit_difference", nullptr}};
        if (summary.logits) {
            result["logit_difference"] = summary.logits->difference;
            result["compared_in"] = name(summary.logits->dtype);
        }
        std::cout << result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
        return;
    }
    std::cout << fmt::format(
        "{}: projects {} of K and V in transformers, with the maps in {}\n  read again: every value equal; "
        "{}\n  the Python file itself was not run\n",
        printable(out.native(), 1000), summary.targets, printable(summary.matrices.filename().native(), 300),
        comparisonText(summary.logits, summary.not_compared, "the projection's"));
}

int run(HookExportRequest& request, const CommonOptions& common, const JobContext& context) {
    request.workspace = common.workspace;
    request.overwrite = common.overwrite;
    request.on_warning = printWarning;
    setTorchThreads(chosenThreads(common));
    ProgressLine progress;
    printSummary(exportHook(request, progress.attach(context)), request.out, common.json);
    return 0;
}

}  // namespace

void addExportHook(CLI::App& exports, CommonOptions& common, Command& chosen) {
    auto request = std::make_shared<HookExportRequest>();
    CLI::App* command =
        exports.add_subcommand("hook", "A Python file that applies a projection in transformers");
    addCommonOptions(*command, common);
    addProjectionOptions(*command, request->intervention)->required();
    command->add_option("--base", request->base,
                        "Model to compare logits with; default: the measured one, where it is found");
    command->add_option("--out", request->out, "FILE.py; its maps are written beside it")->required();
    command->callback([request, &chosen] {
        chosen = [request](const CommonOptions& options, const JobContext& context) {
            return run(*request, options, context);
        };
    });
}

}  // namespace spd::cli
