// spd export hook: a projection as a Python file for transformers.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "app/cli/export/export_commands.h"
#include "app/cli/intervention_options.h"
#include "app/cli/progress_line.h"
#include "app/cli/stage_summaries.h"
#include "core/base/error.h"
#include "core/export/projection_hook.h"
#include "core/export/recorded/recorded_run.h"
#include "core/model/causal_lm.h"

namespace spd::cli {
namespace {

struct ExportHookOptions {
    HookExportRequest request;
    std::string run;  ///< or a folder; empty with --subspace
    std::vector<CLI::Option*> settings;
};

/// The first setting of a projection that was given; empty where none was.
std::string givenSetting(const ExportHookOptions& options) {
    for (const CLI::Option* setting : options.settings)
        if (setting->count() > 0)
            return setting->get_name();
    return "";
}

void printSummary(const HookExportSummary& summary, const std::filesystem::path& out, bool json) {
    if (json) {
        const nlohmann::ordered_json result = summaryJson(summary, out);
        std::cout << result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
        return;
    }
    std::cout << fmt::format(
        "{}: projects {} of K and V in transformers, with the maps in {}\n  read again: every value equal; "
        "{}\n  the Python file itself was not run\n",
        printable(out.native(), 1000), summary.targets, printable(summary.matrices.filename().native(), 300),
        comparisonText(summary.logits, summary.not_compared, "the projection's"));
}

int run(ExportHookOptions& options, const CommonOptions& common, const JobContext& context) {
    chooseProjection(options.run, givenSetting(options), common, options.request);
    HookExportRequest& request = options.request;
    request.workspace = common.workspace;
    request.overwrite = common.overwrite;
    request.on_warning = printWarning;
    setTorchThreads(chosenThreads(common));
    ProgressLine progress;
    printSummary(exportHook(request, progress.attach(context)), request.out, common.json);
    return 0;
}

}  // namespace

void chooseProjection(const std::string& run, const std::string& given_setting, const CommonOptions& common,
                      HookExportRequest& request) {
    std::error_code error;
    if (run.empty() && request.intervention.subspace.empty())
        throw Error(ErrorKind::invalid_argument, "RUN or --subspace DIR says which projection is exported");
    if (run.empty())
        return;
    if (std::filesystem::is_directory(run, error)) {
        request.intervention.subspace = run;
        return;
    }
    const ExportedRun found = findExportedRun(run, common);
    if (!given_setting.empty())
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("{}: run {} says how it projected; --subspace DIR takes options",
                                given_setting, found.run.id));
    RecordedProjection recorded = recordedProjection(found.store, found.run);
    request.intervention.subspace = std::move(recorded.subspace);
    request.intervention.projection = std::move(recorded.settings);
    request.recorded = std::move(recorded.record);
    if (request.base.empty())
        request.base = std::move(recorded.base);
}

void addExportHook(CLI::App& exports, CommonOptions& common, Command& chosen) {
    auto options = std::make_shared<ExportHookOptions>();
    CLI::App* command =
        exports.add_subcommand("hook", "A Python file that applies a projection in transformers");
    addCommonOptions(*command, common);
    CLI::Option* run_option = command->add_option(
        "RUN", options->run,
        "A finished run of the workspace, by its id or name or how they begin: the projection that it made "
        "its corpus with; where a folder of that name is there, that folder, as --subspace takes it");
    CLI::Option* subspace = addProjectionOptions(*command, options->request.intervention);
    subspace->excludes(run_option);
    for (CLI::Option* setting : command->get_options())
        if (setting != subspace && setting->get_group() == subspace->get_group()) {
            setting->remove_needs(subspace);  // RUN may be the folder
            options->settings.push_back(setting);
        }
    command->add_option("--base", options->request.base,
                        "Model to compare logits with; default: the measured one, where it is found");
    command->add_option("--out", options->request.out, "FILE.py; its maps are written beside it")->required();
    command->callback([options, &chosen] {
        chosen = [options](const CommonOptions& parsed, const JobContext& context) {
            return run(*options, parsed, context);
        };
    });
}

}  // namespace spd::cli
