// spd export: what other programs take, out of what this one made.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/cli/commands.h"
#include "app/cli/export/export_commands.h"

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

std::string comparisonText(const std::optional<LogitCheck>& logits, const std::string& why_not,
                           const std::string& sides) {
    if (logits)
        return fmt::format("logits of a few tokens in {} differ from {} by {:.1g} of the largest",
                           name(logits->dtype), sides, logits->difference);
    return fmt::format("logits were not compared ({}): --base MODEL does", why_not);
}

}  // namespace spd::cli
