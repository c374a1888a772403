#include "core/data/curation/corpus_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/base/sha256.h"
#include "core/data/sets/normalized_text.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kLongestBlock = 128;
constexpr size_t kFewestRepeats = 4;
constexpr size_t kShortestLoop = 32;

struct Lengths {
    int64_t min = 0;
    double median = 0;
    double mean = 0;
    int64_t max = 0;
    int64_t total = 0;
};

/// @param values  at least one
Lengths summarize(std::vector<int64_t> values) {
    std::sort(values.begin(), values.end());
    const size_t middle = values.size() / 2;
    Lengths lengths = {.min = values.front(), .max = values.back()};
    lengths.median =
        values.size() % 2 == 1
            ? static_cast<double>(values[middle])
            : (static_cast<double>(values[middle - 1]) + static_cast<double>(values[middle])) / 2;
    lengths.total = std::accumulate(values.begin(), values.end(), int64_t{0});
    lengths.mean = static_cast<double>(lengths.total) / static_cast<double>(values.size());
    return lengths;
}

Json lengthsJson(const Lengths& lengths) {
    return {{"min", lengths.min},
            {"median", lengths.median},
            {"mean", lengths.mean},
            {"max", lengths.max},
            {"total", lengths.total}};
}

}  // namespace

bool isEmptyCompletion(std::string_view completion) {
    return trimBlanks(completion).empty();
}

bool isSingleLine(std::string_view completion) {
    const std::string_view text = trimBlanks(completion);
    return !text.empty() && text.find_first_of("\n\r") == std::string_view::npos;
}

bool endsInLoop(std::span<const int32_t> ids) {
    for (size_t block = 1; block <= std::min(kLongestBlock, ids.size()); ++block) {
        size_t length = block;  // of the tail that repeats its last block
        while (length < ids.size() && ids[ids.size() - 1 - length] == ids[ids.size() - 1 - length + block])
            ++length;
        if (length >= kFewestRepeats * block && length >= kShortestLoop)
            return true;
    }
    return false;
}

void CorpusStatistics::add(const CorpusRecord& record) {
    std::span<const int32_t> ids = record.completion_ids;
    lengths_.push_back(static_cast<int64_t>(ids.size()));
    prompt_lengths_.push_back(record.prompt_tokens);
    const bool stopped = record.finish_reason == "stop";
    ++(stopped ? stop_ : length_);
    if (stopped && !ids.empty())
        ids = ids.first(ids.size() - 1);  // the EOS, or the last token of a stop string
    loops_ += endsInLoop(ids) ? 1 : 0;
    if (isEmptyCompletion(record.completion)) {
        ++empty_;
        return;
    }
    single_line_ += isSingleLine(record.completion) ? 1 : 0;
    duplicates_ += ++texts_[sha256Hex(record.completion)] > 1 ? 1 : 0;
}

Json CorpusStatistics::toJson() const {
    Json json = {{"completions", completions()}};
    if (!lengths_.empty()) {
        json["completion_tokens"] = lengthsJson(summarize(lengths_));
        json["prompt_tokens"] = lengthsJson(summarize(prompt_lengths_));
    }
    json["finish_reasons"] = {{"stop", stop_}, {"length", length_}};
    json["empty"] = empty_;
    json["single_line"] = single_line_;
    json["repetition_loops"] = loops_;
    json["duplicates"] = duplicates_;
    return json;
}

std::string CorpusStatistics::describe() const {
    if (lengths_.empty())
        return "no completions";
    const Lengths lengths = summarize(lengths_);
    return fmt::format(
        "tokens: least {}, median {:g}, mean {:.1f}, most {}; ended by themselves {}, by length {}\n"
        "empty {}, of a single line {}, ending in a loop {}, equal to an earlier one {}",
        lengths.min, lengths.median, lengths.mean, lengths.max, stop_, length_, empty_, single_line_, loops_,
        duplicates_);
}

CorpusStatistics statisticsOf(const std::filesystem::path& corpus) {
    CorpusStatistics statistics;
    readCorpus(corpus, [&](int64_t, const CorpusRecord& record) { statistics.add(record); });
    return statistics;
}

}  // namespace spd
