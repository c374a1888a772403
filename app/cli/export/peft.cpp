// spd export peft: an adapter as peft loads it, on any machine.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/export/export_commands.h"
#include "core/base/error.h"
#include "core/export/peft_adapter.h"

namespace spd::cli {
namespace {

void printSummary(const PeftExportSummary& summary, const std::filesystem::path& out, bool json) {
    if (json) {
        const nlohmann::ordered_json result = {{"out", out.string()},
                                               {"modules", summary.modules},
                                               {"r", summary.r},
                                               {"base_model_name_or_path", summary.base_model_name_or_path},
                                               {"revision", summary.revision}};
        std::cout << result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
        return;
    }
    const std::string revision = summary.revision.empty() ? "" : " at " + printable(summary.revision);
    std::cout << fmt::format("{}: LoRA of {} linears, r {}, for {}{}; read again, equal\n",
                             printable(out.native(), 1000), summary.modules, summary.r,
                             printable(summary.base_model_name_or_path), revision);
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
        chosen = [request](const CommonOptions& options, const JobContext&) {
            request->workspace = options.workspace;
            request->overwrite = options.overwrite;
            printSummary(exportPeft(*request), request->out, options.json);
            return 0;
        };
    });
}

}  // namespace spd::cli
