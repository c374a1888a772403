#include "core/data/training_examples.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/base/strict_json.h"
#include "core/data/corpus/corpus_paths.h"
#include "core/data/corpus_file.h"
#include "core/data/json_lines.h"
#include "core/text/raw_text.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

/// What x.meta.json says of how a corpus was made.
struct CorpusOrigin {
    std::string tokenizer_sha256;
    bool chat = false;
    bool has_stop_strings = false;
    std::vector<int64_t> eos_token_ids;
    Json meta;
};

/// Nothing where there is no such file, or another program's.
std::optional<CorpusOrigin> originOf(const std::filesystem::path& corpus) {
    const std::filesystem::path path = metaOfCorpus(corpus);
    if (look(path) == Found::nothing)
        return std::nullopt;
    try {
        const JsonLimits limits;
        const Json meta = parseStrictJson(readFile(path, limits.max_bytes), path.native(), limits);
        if (meta.at("stage") != "generate")
            return std::nullopt;
        CorpusOrigin origin;
        origin.tokenizer_sha256 = meta.at("tokenizer_sha256").get<std::string>();
        origin.chat = meta.at("format") == "chat";
        origin.has_stop_strings = !meta.at("stop").empty();
        origin.eos_token_ids = meta.at("model").at("eos_token_ids").get<std::vector<int64_t>>();
        origin.meta = meta;
        return origin;
    } catch (const Json::exception&) {
        return std::nullopt;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::file_format)
            throw;
        return std::nullopt;
    }
}

bool contains(const std::vector<int64_t>& ids, int32_t id) {
    return std::find(ids.begin(), ids.end(), int64_t{id}) != ids.end();
}

class ExampleReader {
public:
    ExampleReader(const Tokenizer& tokenizer, const TrainingRules& rules, std::optional<CorpusOrigin> origin)
        : tokenizer_(tokenizer), rules_(rules), origin_(std::move(origin)) {}

    TrainingExample read(int64_t line, const Json& row, TrainingCorpus& corpus) const {
        const bool generated =
            findField(row, "completion_ids") != nullptr && findField(row, "finish_reason") != nullptr;
        TrainingExample example;
        if (generated) {
            const CorpusRecord record = readCorpusRecord(line, row);
            if (origin_ && origin_->tokenizer_sha256 == tokenizer_.sha256()) {
                ++corpus.generated_ids;
                example = asGenerated(record);
            } else {
                example = tokenised(record.id, record.prompt, record.completion, endsWithEos(record));
            }
        } else {
            const Json* reason = findField(row, "finish_reason");
            example = tokenised(readPromptId(row, line), requireString(row, "prompt"),
                                requireString(row, "completion"), reason == nullptr || *reason != "length");
        }
        check(example);
        return example;
    }

private:
    /// A rendered conversation has its special tokens in the text already.
    std::vector<int32_t> promptIds(const std::string& prompt) const {
        return origin_ && origin_->chat ? tokenizer_.encode(prompt, Tokenizer::SpecialTokens::none)
                                        : encodePrompt(tokenizer_, prompt);
    }

    TrainingExample asGenerated(const CorpusRecord& record) const {
        TrainingExample example = {record.id, promptIds(record.prompt), 0};
        example.prompt_tokens = static_cast<int64_t>(example.ids.size());
        if (example.prompt_tokens != record.prompt_tokens)
            throw rowError(fmt::format(
                "the prompt has {} tokens, but \"prompt_tokens\" is {}: changed since it was completed, or "
                "special tokens were written as text in a message",
                example.prompt_tokens, record.prompt_tokens));
        example.ids.insert(example.ids.end(), record.completion_ids.begin(), record.completion_ids.end());
        return example;
    }

    bool endsWithEos(const CorpusRecord& record) const {
        const bool stop_string = origin_ && origin_->has_stop_strings &&
                                 (record.completion_ids.empty() ||
                                  !contains(origin_->eos_token_ids, record.completion_ids.back()));
        return record.finish_reason != "length" && !stop_string;
    }

    TrainingExample tokenised(PromptId id, const std::string& prompt, const std::string& completion,
                              bool with_eos) const {
        TrainingExample example = {std::move(id), promptIds(prompt), 0};
        example.prompt_tokens = static_cast<int64_t>(example.ids.size());
        const std::vector<int32_t> ids = tokenizer_.encode(completion, Tokenizer::SpecialTokens::none);
        example.ids.insert(example.ids.end(), ids.begin(), ids.end());
        if (with_eos && !rules_.eos_token_ids.empty())
            example.ids.push_back(static_cast<int32_t>(rules_.eos_token_ids.front()));
        return example;
    }

    void check(const TrainingExample& example) const {
        const auto length = static_cast<int64_t>(example.ids.size());
        if (length > rules_.positions)
            throw rowError(fmt::format("{} tokens, the model has {} positions", length, rules_.positions));
        if (length < 2)
            throw rowError(fmt::format("{} tokens: there is nothing to predict", length));
        if (rules_.completion_only && length <= example.prompt_tokens)
            throw rowError("the completion is empty, and only its tokens count");
        for (const int32_t id : example.ids)
            if (id >= rules_.vocabulary)
                throw rowError(fmt::format("token {} has no row in the model's embedding of {} rows", id,
                                           rules_.vocabulary));
    }

    const Tokenizer& tokenizer_;
    const TrainingRules& rules_;
    std::optional<CorpusOrigin> origin_;
};

/// A filter looks at all completions before it drops one, so they are read once more for it.
/// @throws Error invalid_argument when nothing is kept
FilteredCorpus filterRows(const std::filesystem::path& path, CorpusFilter filter) {
    std::vector<std::string> completions;
    readJsonLines(path,
                  [&](int64_t, const Json& row) { completions.push_back(requireString(row, "completion")); });
    FilteredCorpus filtered = filterCorpus(completions, filter);
    if (filtered.kept() == 0)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("{}: corpus filter {} leaves nothing of {} completions",
                                printable(path.native(), 1000), name(filter), completions.size()));
    return filtered;
}

}  // namespace

TrainingCorpus readTrainingCorpus(const std::filesystem::path& path, const Tokenizer& tokenizer,
                                  const TrainingRules& rules) {
    TrainingCorpus corpus;
    corpus.sha256 = sha256OfFile(path);
    const std::optional<CorpusOrigin> origin = originOf(path);
    if (origin)
        corpus.made_by = origin->meta;
    const ExampleReader reader(tokenizer, rules, origin);
    if (rules.filter != CorpusFilter::none)
        corpus.filtered = filterRows(path, rules.filter);
    const std::vector<bool>& keeps = corpus.filtered.keeps;
    KnownIds known;
    size_t index = 0;
    readJsonLines(path, [&](int64_t line, const Json& row) {
        if (index < keeps.size() && !keeps[index++])
            return;
        TrainingExample example = reader.read(line, row, corpus);
        known.add(example.id, line);
        corpus.tokens += static_cast<int64_t>(example.ids.size());
        corpus.examples.push_back(std::move(example));
    });
    return corpus;
}

}  // namespace spd
