// spd export peft: an adapter as peft loads it, on any machine.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/export/export_commands.h"
#include "app/cli/intervention_options.h"
#include "app/cli/progress_line.h"
#include "core/base/error.h"
#include "core/export/peft_adapter.h"
#include "core/model/causal_lm.h"

namespace spd::cli {
namespace {

void printSummary(const PeftExportSummary& summary, const std::filesystem::path& out, bool json) {
    if (json) {
        nlohmann::ordered_json result = {{"out", out.string()},
                                         {"modules", summary.modules},
                                         {"r", summary.r},
                                         {"base_model_name_or_path", summary.base_model_name_or_path},
                                         {"revision", summary.revision},
                                         {"logit_difference", nullptr}};
        if (summary.logits) {
            result["logit_difference"] = summary.logits->difference;
            result["compared_in"] = name(summary.logits->dtype);
        }
        std::cout << result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
        return;
    }
    const std::string revision = summary.revision.empty() ? "" : " at " + printable(summary.revision);
    std::cout << fmt::format("{}: LoRA of {} linears, r {}, for {}{}\n  read again: every value equal; {}\n",
                             printable(out.native(), 1000), summary.modules, summary.r,
                             printable(summary.base_model_name_or_path), revision,
                             comparisonText(summary.logits, summary.not_compared, "base + adapter"));
}

int run(PeftExportRequest& request, const CommonOptions& common, const JobContext& context) {
    request.workspace = common.workspace;
    request.overwrite = common.overwrite;
    request.on_warning = printWarning;
    setTorchThreads(chosenThreads(common));
    ProgressLine progress;
    printSummary(exportPeft(request, progress.attach(context)), request.out, common.json);
    return 0;
}

}  // namespace

void addExportPeft(CLI::App& exports, CommonOptions& common, Command& chosen) {
    auto request = std::make_shared<PeftExportRequest>();
    CLI::App* command = exports.add_subcommand("peft", "An adapter as peft loads it, on any machine");
    addCommonOptions(*command, common);
    command->add_option("--adapter", request->adapter, "Folder with adapter_config.json")->required();
    command->add_option("--base", request->base, "Its base model, where it names none or another place");
    command->add_option("--out", request->out, "Folder to be made")->required();
    command->callback([request, &chosen] {
        chosen = [request](const CommonOptions& options, const JobContext& context) {
            return run(*request, options, context);
        };
    });
}

}  // namespace spd::cli
