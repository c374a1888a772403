#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/data/curation/corpus_filter.h"
#include "core/data/prompts.h"
#include "core/text/tokenizer.h"

namespace spd {

/// One sequence to train on.
struct TrainingExample {
    PromptId id;
    std::vector<int32_t> ids;   ///< prompt, then completion, EOS included where it ended
    int64_t prompt_tokens = 0;  ///< how many of them are the prompt's
};

/// What the model can take and how its completions end.
struct TrainingRules {
    int64_t positions = 0;               ///< longest sequence
    int64_t vocabulary = 0;              ///< rows of the embedding
    std::vector<int64_t> eos_token_ids;  ///< the first is appended; none: nothing is
    bool completion_only = false;        ///< only the completion's tokens count, so there must be one
    CorpusFilter filter =
        CorpusFilter::none;  ///< rows that are left out before anything else is asked of them
};

struct TrainingCorpus {
    std::vector<TrainingExample> examples;  ///< in the order of the file
    int64_t generated_ids = 0;              ///< examples that keep the ids they were generated as
    int64_t tokens = 0;                     ///< ids in all
    std::string sha256;                     ///< of the file
    FilteredCorpus filtered;                ///< `keeps` is empty without a filter
    nlohmann::ordered_json made_by;         ///< x.meta.json of `spd generate`; null where there is none
};

/// Reads a corpus (corpus_file.h), or any lines {"prompt","completion"} with or without "id" and
/// "finish_reason". An example is the prompt's ids and "completion_ids" where x.meta.json beside the file
/// says that this tokenizer made them; else the completion's text is tokenised on its own, without special
/// tokens, and EOS follows unless "finish_reason" is "length" or a stop string ended it.
/// @throws Error as readJsonLines(), every bad row listed: longer than the model's positions, a token that
/// the embedding has no row for, fewer than one counted token, a prompt that no longer has "prompt_tokens"
/// tokens, equal ids; invalid_argument when the filter leaves nothing
TrainingCorpus readTrainingCorpus(const std::filesystem::path& path, const Tokenizer& tokenizer,
                                  const TrainingRules& rules);

}  // namespace spd
