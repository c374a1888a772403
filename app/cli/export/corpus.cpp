// spd export corpus: a corpus in the lines that other training programs read.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/export/export_commands.h"
#include "core/base/error.h"
#include "core/data/curation/corpus_formats.h"

namespace spd::cli {
namespace {

struct ExportCorpusOptions {
    CorpusExportRequest request;
    std::string format;
    std::string filter = "none";
};

void printSummary(const CorpusExportRequest& request, const CorpusExportSummary& summary, bool json) {
    const FilteredCorpus& filtered = summary.filtered;
    const int64_t kept = filtered.kept();
    if (json) {
        nlohmann::ordered_json result = {{"out", request.out.string()},
                                         {"format", name(request.format)},
                                         {"records", summary.records},
                                         {"kept", kept},
                                         {"filter", name(request.filter)},
                                         {"dropped",
                                          {{"empty", filtered.empty},
                                           {"single_line", filtered.single_line},
                                           {"shortest", filtered.shortest}}},
                                         {"statistics", summary.statistics}};
        if (!summary.extras.empty())
            result["extras"] = summary.extras.string();
        std::cout << result.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
        return;
    }
    std::string text = fmt::format("{}: {} completions as {}", printable(request.out.native(), 1000), kept,
                                   name(request.format));
    if (filtered.dropped() > 0)
        text += fmt::format(", {} left out (empty {}, single line {}, shortest {})", filtered.dropped(),
                            filtered.empty, filtered.single_line, filtered.shortest);
    if (!summary.extras.empty())
        text += "; ids and tokens in " + printable(summary.extras.native(), 1000);
    std::cout << text << "\n";
}

int run(ExportCorpusOptions& options, const CommonOptions& common) {
    options.request.format = parseCorpusFormat(options.format);
    options.request.filter = parseCorpusFilter(options.filter);
    options.request.overwrite = common.overwrite;
    printSummary(options.request, exportCorpus(options.request), common.json);
    return 0;
}

}  // namespace

void addExportCorpus(CLI::App& exports, CommonOptions& common, Command& chosen) {
    auto options = std::make_shared<ExportCorpusOptions>();
    CLI::App* command = exports.add_subcommand("corpus", "A corpus in another training program's lines");
    addCommonOptions(*command, common);
    CorpusExportRequest& request = options->request;
    command->add_option("CORPUS", request.corpus, "What spd generate wrote")->required();
    command
        ->add_option("--format", options->format,
                     "prompt-completion, messages, alpaca, sharegpt, or corpus (spd's own, filtered)")
        ->required();
    command->add_option("--out", request.out, "JSON Lines; OUT.extras.jsonl beside it has ids and tokens")
        ->required();
    command
        ->add_option(
            "--filter", options->filter,
            "What is left out: none, ssd (empty, single lines), apple (ssd and the shortest tenth), trl, mlx")
        ->capture_default_str();
    command->add_option("--prompts", request.prompts,
                        "The prompts file, where the corpus was made of conversations (--chat)");
    command->callback([options, &chosen] {
        chosen = [options](const CommonOptions& parsed, const JobContext&) { return run(*options, parsed); };
    });
}

}  // namespace spd::cli
