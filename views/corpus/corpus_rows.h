#pragma once

#include <QString>
#include <QStringList>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/data/curation/corpus_statistics.h"

namespace spd {

/// One completion as the table shows it.
struct CorpusRow {
    QString id;
    QString prompt;
    QString completion;
    bool stopped = false;  ///< by itself, not at max_new_tokens
    int64_t prompt_tokens = 0;
    int64_t tokens = 0;
    bool empty = false;
    bool single_line = false;
    bool loop = false;
    bool duplicate = false;  ///< of an earlier one, byte for byte

    /// "loop", "empty, duplicate"; empty when nothing is odd.
    QString remarks() const;
};

/// The rows of a corpus that grows, with what its charts need. The same rules as `spd generate`'s statistics.
class CorpusRows {
public:
    void add(const CorpusRecord& record, const QString& id);
    void clear() { *this = {}; }

    const std::vector<CorpusRow>& rows() const { return rows_; }
    const CorpusStatistics& statistics() const { return statistics_; }

private:
    std::vector<CorpusRow> rows_;
    std::unordered_set<std::string> texts_;
    CorpusStatistics statistics_;
};

struct Histogram {
    std::vector<double> from;   ///< left edge of each bin, ascending; one more than counts
    std::vector<double> count;  ///< as steps: [bins]
};
/// Completion lengths in about `bins` bins of one width, a round number of tokens.
Histogram lengthHistogram(const std::vector<CorpusRow>& rows, int bins);

}  // namespace spd
