#include "views/corpus/corpus_rows.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

#include "core/data/corpus_file.h"

namespace spd {

namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("spd::Corpus", text);
}

/// 1, 2, 5, 10, 20, ... : the smallest that is not below.
double roundWidth(double width) {
    const double power = std::pow(10, std::floor(std::log10(std::max(1.0, width))));
    for (const double factor : {1.0, 2.0, 5.0})
        if (factor * power >= width)
            return factor * power;
    return 10 * power;
}

}  // namespace

QString CorpusRow::remarks() const {
    QStringList words;
    if (empty)
        words << tr("empty");
    if (single_line)
        words << tr("one line");
    if (loop)
        words << tr("loop");
    if (duplicate)
        words << tr("duplicate");
    return words.join(QStringLiteral(", "));
}

void CorpusRows::add(const CorpusRecord& record, const QString& id) {
    const bool stopped = record.finish_reason == "stop";
    std::span<const int32_t> ids = record.completion_ids;
    if (stopped && !ids.empty())
        ids = ids.first(ids.size() - 1);  // the EOS is no part of a loop
    const bool is_empty = isEmptyCompletion(record.completion);
    rows_.push_back({.id = id,
                     .prompt = QString::fromStdString(record.prompt),
                     .completion = QString::fromStdString(record.completion),
                     .stopped = stopped,
                     .prompt_tokens = record.prompt_tokens,
                     .tokens = std::ssize(record.completion_ids),
                     .empty = is_empty,
                     .single_line = isSingleLine(record.completion),
                     .loop = endsInLoop(ids),
                     .duplicate = !is_empty && !texts_.insert(record.completion).second});
    statistics_.add(record);
}

Histogram lengthHistogram(const std::vector<CorpusRow>& rows, int bins) {
    int64_t longest = 0;
    for (const CorpusRow& row : rows)
        longest = std::max(longest, row.tokens);
    const double width = roundWidth(static_cast<double>(longest + 1) / std::max(1, bins));
    const auto count = static_cast<size_t>(std::floor(static_cast<double>(longest) / width)) + 1;
    Histogram histogram;
    histogram.count.assign(count, 0);
    for (size_t bin = 0; bin <= count; ++bin)
        histogram.from.push_back(width * static_cast<double>(bin));
    for (const CorpusRow& row : rows)
        ++histogram.count[static_cast<size_t>(static_cast<double>(row.tokens) / width)];
    return histogram;
}

}  // namespace spd
