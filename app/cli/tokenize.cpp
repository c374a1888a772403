// spd tokenize: the token ids of texts, and what they decode to.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "app/cli/progress_line.h"
#include "core/base/files.h"
#include "core/data/json_lines.h"
#include "core/io/model_locator.h"
#include "core/text/tokenizer.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;

struct TokenizeRequest {
    std::string model;
    std::filesystem::path jsonl;
    std::string field;
    bool no_special_tokens = false;
    std::filesystem::path out;
};

struct TokenizeSummary {
    int64_t texts = 0;
    int64_t tokens = 0;
};

/// One row after the other: neither file is ever whole in memory.
TokenizeSummary tokenizeRows(const TokenizeRequest& request, const Tokenizer& tokenizer,
                             const JobContext& context) {
    const auto special =
        request.no_special_tokens ? Tokenizer::SpecialTokens::none : Tokenizer::SpecialTokens::add;
    TokenizeSummary summary;
    AtomicFile out(request.out);
    readJsonLines(request.jsonl, [&](int64_t, const ordered_json& row) {
        context.checkStop();
        const std::vector<int32_t> ids = tokenizer.encode(requireString(row, request.field), special);
        const ordered_json line = {{"ids", ids}, {"decoded", tokenizer.decode(ids, false)}};
        out.append(line.dump() + "\n");
        ++summary.texts;
        summary.tokens += static_cast<int64_t>(ids.size());
        context.report({.phase = "tokenize", .done = summary.texts});
    });
    out.commit();
    return summary;
}

int run(const TokenizeRequest& request, const CommonOptions& common, const JobContext& context) {
    if (!common.overwrite && std::filesystem::exists(request.out))
        throw Error(ErrorKind::invalid_argument,
                    printable(request.out.native(), 1000) + ": exists; --overwrite replaces it");
    refuseSameFile(request.jsonl, request.out, "the file of texts");
    const Tokenizer tokenizer = Tokenizer::open(locateModel(request.model, common.workspace).folder);
    TokenizeSummary summary;
    {
        ProgressLine progress;
        summary = tokenizeRows(request, tokenizer, progress.attach(context));
    }
    if (common.json) {
        const ordered_json result = {{"out", request.out.string()},
                                     {"texts", summary.texts},
                                     {"tokens", summary.tokens},
                                     {"tokenizer", tokenizer.description()},
                                     {"tokenizer_sha256", tokenizer.sha256()}};
        std::cout << result.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << "\n";
    } else {
        std::cout << fmt::format("{}: {} texts, {} tokens, {}\n", request.out.string(), summary.texts,
                                 summary.tokens, tokenizer.description());
    }
    return 0;
}

}  // namespace

void addTokenize(CLI::App& app, CommonOptions& common, Command& chosen) {
    auto request = std::make_shared<TokenizeRequest>();
    CLI::App* command = app.add_subcommand("tokenize", "Turn texts into token ids and back");
    addCommonOptions(*command, common);
    command
        ->add_option("MODEL", request->model,
                     "Folder with a tokenizer.json, org/name in the Hugging Face cache, or workspace name")
        ->required();
    command->add_option("--jsonl", request->jsonl, "JSON Lines, one object a line")->required();
    command->add_option("--field", request->field, "The field that holds the text")->required();
    command->add_flag("--no-special-tokens", request->no_special_tokens,
                      "Leave out what the tokenizer's post-processor adds (BOS)");
    command->add_option("--out", request->out, R"(Where {"ids":[...],"decoded":"..."} goes, one a text)")
        ->required();
    command->callback([request, &chosen] {
        chosen = [request](const CommonOptions& options, const JobContext& context) {
            return run(*request, options, context);
        };
    });
}

}  // namespace spd::cli
