#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/corpus_file.h"

namespace spd {

/// What a completion is besides its length. Blanks are Unicode's.
bool isEmptyCompletion(std::string_view completion);  ///< nothing but blanks
/// No line break between its first and its last character that is no blank; not empty.
bool isSingleLine(std::string_view completion);
/// Ends in a loop: the last ids repeat a block of 1 to 128 ids at least four times, at least 32 ids in all.
/// @param ids  completion_ids; an EOS at their end is to be left out.
bool endsInLoop(std::span<const int32_t> ids);

/// What a corpus looks like, gathered record by record. A function of the records and their order.
class CorpusStatistics {
public:
    void add(const CorpusRecord& record);

    int64_t completions() const { return static_cast<int64_t>(lengths_.size()); }
    /// {"completions","completion_tokens":{"min","median","mean","max","total"} (absent without completions),
    /// "prompt_tokens":{the same}, "finish_reasons":{"stop","length"}, "empty","single_line",
    /// "repetition_loops","duplicates"}. Medians of an even number are the mean of the middle two; duplicates
    /// are completions, not empty, that equal an earlier one byte for byte.
    nlohmann::ordered_json toJson() const;
    /// The same in two lines for a person.
    std::string describe() const;

private:
    std::vector<int64_t> lengths_;
    std::vector<int64_t> prompt_lengths_;
    std::map<std::string, int64_t> texts_;  ///< by SHA-256, not empty ones
    int64_t stop_ = 0;
    int64_t length_ = 0;
    int64_t empty_ = 0;
    int64_t single_line_ = 0;
    int64_t loops_ = 0;
    int64_t duplicates_ = 0;
};

/// Of a finished corpus. @throws Error as readCorpus()
CorpusStatistics statisticsOf(const std::filesystem::path& corpus);

}  // namespace spd
