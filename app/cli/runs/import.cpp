// spd runs import: adopts what single commands have left in folders; nothing is moved.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/cli/progress_line.h"
#include "app/cli/runs/runs_commands.h"
#include "core/store/import/run_folder.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;

int importFolders(const std::vector<std::filesystem::path>& folders, const CommonOptions& common,
                  const JobContext& context) {
    std::vector<RunStore::ImportedRun> runs;  // all are read before the first is recorded
    {
        ProgressLine progress;
        for (const std::filesystem::path& folder : folders)
            runs.push_back(readRunFolder(folder, progress.attach(context)));
    }
    RunStore store = openStore(common, /*make=*/true);
    ordered_json rows = ordered_json::array();
    for (const RunStore::ImportedRun& run : runs) {
        const std::string id = store.importRun(run);
        const std::string folder = run.run.folder.native();
        rows.push_back({{"id", id},
                        {"folder", folder},
                        {"method", run.run.method},
                        {"status", name(run.status)},
                        {"params", run.params.size()},
                        {"metrics", run.metrics.size()},
                        {"artifacts", run.artifacts.size()},
                        {"examples", run.examples.size()}});
        if (!common.json)
            std::cout << fmt::format(
                "{}: run {} ({}, {}): {} params, {} metrics, {} artifacts, {} examples\n",
                printable(folder, 1000), id, printable(run.run.method), name(run.status), run.params.size(),
                run.metrics.size(), run.artifacts.size(), run.examples.size());
    }
    if (common.json)
        printJson(rows);
    return 0;
}

}  // namespace

void addRunsImport(CLI::App& runs, CommonOptions& common, Command& chosen) {
    auto folders = std::make_shared<std::vector<std::filesystem::path>>();
    CLI::App* command =
        runs.add_subcommand("import", "Record what single commands have left in folders; moves nothing");
    addCommonOptions(*command, common);
    command->add_option("DIR", *folders, "What calibrate, generate, train, eval or export wrote to")
        ->required();
    command->callback([folders, &chosen] {
        chosen = [folders](const CommonOptions& options, const JobContext& context) {
            return importFolders(*folders, options, context);
        };
    });
}

}  // namespace spd::cli
