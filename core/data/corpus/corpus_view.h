#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/data/curation/corpus_statistics.h"

namespace spd {

/// Looks into a corpus that may still grow: the partial file in the order of completion while there is one,
/// else the finished one in the order of its prompts. Reads only what is new since the last look. Not
/// thread-safe.
class CorpusView {
public:
    /// @param out  the finished file; it or its partial file need not be there yet.
    explicit CorpusView(const std::filesystem::path& out);

    /// Takes in whole lines that have come since; starts anew when the file is another.
    /// @throws Error file_format (a line that is no record), io
    void update();

    bool isThere() const { return !file_.empty(); }
    bool isComplete() const { return complete_; }
    int64_t count() const { return static_cast<int64_t>(borders_.size()) - 1; }
    const CorpusStatistics& statistics() const { return statistics_; }
    /// Records `from` .. `from` + `count` - 1, fewer where there are not so many or where they would be above
    /// `max_bytes`; at least one where there is any. @throws Error file_format, io
    nlohmann::ordered_json rows(int64_t from, int64_t count, int64_t max_bytes) const;

private:
    void takeIn(std::string_view lines);

    std::filesystem::path out_;
    std::filesystem::path partial_;
    std::filesystem::path file_;  // the one that is read
    std::string identity_;
    bool complete_ = false;
    std::vector<int64_t> borders_ = {0};  // bytes where records begin, and where the next one will
    CorpusStatistics statistics_;
};

}  // namespace spd
