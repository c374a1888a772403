#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/data/curation/corpus_filter.h"
#include "core/data/prompts.h"

namespace spd {

/// What other programs train on, one object a line.
enum class CorpusFormat {
    prompt_completion,  ///< TRL: {"prompt","completion"}, texts as they are
    messages,  ///< TRL, OpenAI: {"messages":[{"role":"user","content"},{"role":"assistant","content"}]}
    alpaca,    ///< LLaMA-Factory: {"instruction","input":"","output"}, of a conversation "system", "history"
    sharegpt,  ///< LLaMA-Factory: {"conversations":[{"from":"human","value"},{"from":"gpt","value"}]}
    corpus,    ///< our own, for `spd train` (what a filter keeps of a corpus)
};

/// "prompt-completion", "messages", "alpaca", "sharegpt", "corpus". @throws Error invalid_argument
CorpusFormat parseCorpusFormat(const std::string& text);
std::string_view name(CorpusFormat format);

/// A record in another program's fields.
/// @param format  not `corpus`.   @param messages  the conversation that the record's prompt was rendered
///     from, or nullptr: the prompt is one user's message.
/// @throws Error rowError() when the conversation has what the format cannot say (content that is no text, a
/// role besides system, user and assistant; for alpaca turns that do not alternate)
nlohmann::ordered_json formatRecord(CorpusFormat format, const std::string& prompt,
                                    const std::string& completion, const nlohmann::ordered_json* messages);

struct CorpusExportRequest {
    std::filesystem::path corpus;
    std::filesystem::path out;
    CorpusFormat format = CorpusFormat::prompt_completion;
    CorpusFilter filter = CorpusFilter::none;
    std::filesystem::path prompts;  ///< the file the corpus was made of, needed for conversations; or empty
    bool overwrite = false;
};

struct CorpusExportSummary {
    int64_t records = 0;  ///< of the corpus
    FilteredCorpus filtered;
    std::filesystem::path extras;       ///< sidecar; empty for `corpus`
    nlohmann::ordered_json statistics;  ///< of what was kept
};

/// Writes OUT, and beside it OUT without .jsonl + ".extras.jsonl": for each line of OUT the line {"id",
/// "finish_reason", "prompt_tokens","completion_tokens","completion_ids"} and, where the corpus' meta.json
/// tells them, "seed" and "intervention_sha256" (of the recorded intervention; absent without one). For
/// `corpus` the same records and OUT's meta.json: the corpus' own, with "filter" and the source's hash added.
/// OUT appears last.
/// @throws Error invalid_argument (OUT is there and no `overwrite`, OUT is an input, nothing is kept, a
/// corpus of rendered conversations in another format than prompt-completion without `prompts`), as
/// readCorpus() and readPrompts(); file_format when `prompts` lacks an id; io
CorpusExportSummary exportCorpus(const CorpusExportRequest& request);

}  // namespace spd
