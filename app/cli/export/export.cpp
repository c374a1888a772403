// spd export: what other programs take, out of what this one made.

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

}  // namespace spd::cli
