// spd forward: the logits of given token ids, to be compared with other implementations.

#include "core/pipeline/forward.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/intervention_options.h"
#include "app/cli/progress_line.h"
#include "core/io/model_locator.h"
#include "core/model/causal_lm.h"

namespace spd::cli {
namespace {

void printSummary(const ForwardSummary& summary, const std::filesystem::path& out, bool json) {
    if (json) {
        const nlohmann::ordered_json result = {{"out", out.string()},
                                               {"sequences", summary.sequences},
                                               {"tokens", summary.tokens},
                                               {"vocab_size", summary.vocab_size},
                                               {"intervention", summary.intervention_record},
                                               {"open_seconds", summary.open_seconds},
                                               {"compute_seconds", summary.compute_seconds}};
        std::cout << result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
        return;
    }
    std::cout << fmt::format("{}: logits.N of {} sequences, {} tokens in all, vocabulary {}\n", out.string(),
                             summary.sequences, summary.tokens, summary.vocab_size);
    if (!summary.intervention_record.empty())
        std::cout << "  with " << summary.intervention << "\n";
}

int run(const std::string& model, ForwardRequest request, const CommonOptions& common,
        const JobContext& context) {
    if (!common.overwrite && std::filesystem::exists(request.out))
        throw Error(ErrorKind::invalid_argument,
                    printable(request.out.native(), 1000) + ": exists; --overwrite replaces it");
    refuseSameFile(request.ids, request.out, "the file of ids");
    request.folder = locateModel(model, common.workspace).folder;
    request.dtype = chosenDType(common, DType::float32);
    request.on_warning = printWarning;
    setTorchThreads(chosenThreads(common));
    ProgressLine progress;
    printSummary(writeLogits(request, progress.attach(context)), request.out, common.json);
    return 0;
}

}  // namespace

void addForward(CLI::App& app, CommonOptions& common, Command& chosen) {
    auto model = std::make_shared<std::string>();
    auto request = std::make_shared<ForwardRequest>();
    CLI::App* command = app.add_subcommand("forward", "Compute the logits of given token ids");
    addCommonOptions(*command, common);
    command
        ->add_option("MODEL", *model,
                     "Checkpoint folder, org/name in the Hugging Face cache, or workspace name")
        ->required();
    command
        ->add_option(
            "--ids", request->ids,
            R"(JSON Lines {"ids":[...]}, one sequence a line; "prompt_length" says where new tokens begin)")
        ->required();
    command->add_option("--out", request->out, "Where the logits go (safetensors)")->required();
    addInterventionOptions(*command, request->intervention);
    command->callback([model, request, &chosen] {
        chosen = [model, request](const CommonOptions& options, const JobContext& context) {
            return run(*model, *request, options, context);
        };
    });
}

}  // namespace spd::cli
