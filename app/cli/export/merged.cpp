// spd export merged: base model and adapter as one checkpoint.

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
#include "core/export/merged_checkpoint.h"
#include "core/model/causal_lm.h"

namespace spd::cli {
namespace {

using Json = nlohmann::ordered_json;

void printJson(const MergeSummary& summary, const std::filesystem::path& out) {
    const Json result = summaryJson(summary, out);
    std::cout << result.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
}

void printText(const MergeSummary& summary, const std::filesystem::path& out) {
    std::cout << fmt::format("{}: {} tensors, {} of them merged, {} MiB in {} file{}\n",
                             printable(out.native(), 1000), summary.tensors, summary.merged,
                             summary.bytes >> 20, summary.files, summary.files == 1 ? "" : "s");
    for (const RoundingLoss& loss : summary.losses)
        std::cout << fmt::format(
            "  {}: rounding to {} kept {:.1f} % of the adapter, error {:.1f} % of its size\n",
            moduleName(loss.linear), name(loss.dtype), 100 * loss.kept, 100 * loss.error);
    std::cout << fmt::format(
        "  read again: every byte as merged; logits of a few tokens in {} differ from base + adapter by "
        "{:.1g} "
        "of the largest\n",
        name(summary.logits.dtype), summary.logits.difference);
}

int run(MergeRequest& request, const CommonOptions& common, const JobContext& context) {
    request.workspace = common.workspace;
    request.overwrite = common.overwrite;
    if (!common.dtype.empty())
        request.dtype = parseDType(common.dtype);
    request.on_warning = printWarning;
    setTorchThreads(chosenThreads(common));
    ProgressLine progress;
    const MergeSummary summary = exportMerged(request, progress.attach(context));
    common.json ? printJson(summary, request.out) : printText(summary, request.out);
    return 0;
}

}  // namespace

void addExportMerged(CLI::App& exports, CommonOptions& common, Command& chosen) {
    auto request = std::make_shared<MergeRequest>();
    CLI::App* command = exports.add_subcommand(
        "merged", "Base model and adapter as one checkpoint; --dtype is the type of its weights");
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
