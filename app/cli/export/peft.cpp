// spd export peft: an adapter as peft loads it, on any machine.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/export/export_commands.h"
#include "app/cli/intervention_options.h"
#include "app/cli/progress_line.h"
#include "app/cli/stage_summaries.h"
#include "core/base/error.h"
#include "core/export/peft_adapter.h"
#include "core/export/recorded/recorded_run.h"
#include "core/model/causal_lm.h"

namespace spd::cli {
namespace {

struct ExportPeftOptions {
    PeftExportRequest request;
    std::string run;  ///< or a folder; empty with --adapter
};

void printSummary(const PeftExportSummary& summary, const std::filesystem::path& out, bool json) {
    if (json) {
        const nlohmann::ordered_json result = summaryJson(summary, out);
        std::cout << result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
        return;
    }
    const std::string revision = summary.revision.empty() ? "" : " at " + printable(summary.revision);
    std::cout << fmt::format("{}: LoRA of {} linears, r {}, for {}{}\n  read again: every value equal; {}\n",
                             printable(out.native(), 1000), summary.modules, summary.r,
                             printable(summary.base_model_name_or_path), revision,
                             comparisonText(summary.logits, summary.not_compared, "base + adapter"));
}

int run(ExportPeftOptions& options, const CommonOptions& common, const JobContext& context) {
    chooseAdapter(options.run, common, options.request);
    PeftExportRequest& request = options.request;
    request.workspace = common.workspace;
    request.overwrite = common.overwrite;
    request.on_warning = printWarning;
    setTorchThreads(chosenThreads(common));
    ProgressLine progress;
    printSummary(exportPeft(request, progress.attach(context)), request.out, common.json);
    return 0;
}

}  // namespace

void chooseAdapter(const std::string& run, const CommonOptions& common, PeftExportRequest& request) {
    std::error_code error;
    if (run.empty() && request.adapter.empty())
        throw Error(ErrorKind::invalid_argument, "RUN or --adapter DIR says which adapter is exported");
    if (run.empty())
        return;
    if (std::filesystem::is_directory(run, error)) {
        request.adapter = run;
        return;
    }
    const ExportedRun found = findExportedRun(run, common);
    RecordedAdapter recorded = recordedAdapter(found.store, found.run);
    request.adapter = std::move(recorded.folder);
    if (request.base.empty())
        request.base = std::move(recorded.base);
}

void addExportPeft(CLI::App& exports, CommonOptions& common, Command& chosen) {
    auto options = std::make_shared<ExportPeftOptions>();
    CLI::App* command = exports.add_subcommand("peft", "An adapter as peft loads it, on any machine");
    addCommonOptions(*command, common);
    CLI::Option* run_option = command->add_option(
        "RUN", options->run,
        "A finished run of the workspace, by its id or name or how they begin; where a folder of that name "
        "is there, that folder, as --adapter takes it");
    command->add_option("--adapter", options->request.adapter, "Folder with adapter_config.json")
        ->excludes(run_option);
    command->add_option("--base", options->request.base,
                        "Its base model, where run or adapter names none or another place");
    command->add_option("--out", options->request.out, "Folder to be made")->required();
    command->callback([options, &chosen] {
        chosen = [options](const CommonOptions& parsed, const JobContext& context) {
            return run(*options, parsed, context);
        };
    });
}

}  // namespace spd::cli
