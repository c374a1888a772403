// spd export: what other programs take, out of what this one made.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/cli/commands.h"
#include "app/cli/export/export_commands.h"
#include "app/cli/runs/runs_commands.h"
#include "core/base/error.h"

namespace spd::cli {

void addExport(CLI::App& app, CommonOptions& common, Command& chosen) {
    CLI::App* exports =
        app.add_subcommand("export", "Write adapters, projections and corpora for other programs");
    addCommonOptions(*exports, common);
    exports->require_subcommand(1);
    addExportMerged(*exports, common, chosen);
    addExportHook(*exports, common, chosen);
    addExportPeft(*exports, common, chosen);
    addExportCorpus(*exports, common, chosen);
}

ExportedRun findExportedRun(const std::string& text, const CommonOptions& common) {
    if (!hasStore(common))
        throw Error(ErrorKind::not_found,
                    fmt::format("{}: no such folder, and no run was recorded in {} yet",
                                printable(text, 1000), printable(common.workspace.native(), 1000)));
    RunStore store = openStore(common);
    try {
        RunRecord run = store.findRun(text);
        return {std::move(store), std::move(run)};
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found)
            throw;
        throw Error(ErrorKind::not_found,
                    fmt::format("{}: no such folder; {}", printable(text, 1000), error.what()));
    }
}

std::string comparisonText(const std::optional<LogitCheck>& logits, const std::string& why_not,
                           const std::string& sides) {
    if (logits)
        return fmt::format("logits of a few tokens in {} differ from {} by {:.1g} of the largest",
                           name(logits->dtype), sides, logits->difference);
    return fmt::format("logits were not compared ({}): --base MODEL does", why_not);
}

}  // namespace spd::cli
