#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/data/prompts.h"
#include "core/evaluate/statistics.h"

namespace spd {

/// One question, what was answered, and how it was scored.
struct EvalSample {
    PromptId id;
    std::string prompt;  ///< as the model saw it
    std::string gold;    ///< the number, without commas
    std::string completion;
    std::string extracted;  ///< what was compared; "[invalid]" where the completion has no number
    bool is_correct = false;
};

/// Scores a completion by its final number (core/evaluate/final_number.h).
/// @throws Error internal when the gold is no number
EvalSample scoreFinalNumber(PromptId id, std::string prompt, std::string gold, std::string completion);

/// A benchmark's result.
struct EvalResult {
    std::string task;  ///< "gsm8k"
    int64_t n = 0;
    int64_t correct = 0;
    Interval interval;           ///< of correct / n, Wilson, 95 %
    double mean_kl_to_base = 0;  ///< nats a completion token; 0 where nothing intervenes
    int64_t kl_tokens = 0;       ///< completion tokens that the mean is over; 0: it was not asked for
    int64_t completion_tokens = 0;
    int64_t stopped = 0;  ///< completions that ended by themselves, not at max_new_tokens

    double exactMatch() const { return n > 0 ? static_cast<double>(correct) / static_cast<double>(n) : 0; }
};

/// Writes FOLDER/samples_TASK.jsonl and FOLDER/results.json, each atomically, with the field names of lm-eval
/// (samples: doc_id, doc, target, arguments, resps, filtered_resps, filter, metrics, doc_hash, prompt_hash,
/// target_hash, exact_match; results: results, n-samples, config) and ours beside them.
/// @param config  object: how the answers came about.
/// @throws Error io
void writeEvalFiles(const std::filesystem::path& folder, const EvalResult& result,
                    const std::vector<EvalSample>& samples, const nlohmann::ordered_json& config);

/// The result as results.json keeps it under "spd", and back.
nlohmann::ordered_json toJson(const EvalResult& result);
/// @throws Error file_format
EvalResult evalResultFromJson(const nlohmann::ordered_json& json, const std::string& file);

}  // namespace spd
