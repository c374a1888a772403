#include "views/calibration/examples/example_set.h"

#include <QCoreApplication>
#include <algorithm>

#include "views/shared/numbers.h"

namespace spd {

namespace {

QString tr(const char* text, int count = -1) {
    return QCoreApplication::translate("CalibrationPage", text, nullptr, count);
}

}  // namespace

protocol::ExampleRow Example::decided() const {
    protocol::ExampleRow result = row;
    result.spans = choice.span.chars;
    result.targets = choice.span.targets;
    return result;
}

Example exampleOf(protocol::ExampleRow row) {
    Example example;
    example.ranges = completionRanges(row);
    example.original = {.chars = normalized(row.spans), .targets = row.targets};
    example.choice = {.span = example.original, .picked = true};
    example.row = std::move(row);
    return example;
}

ExampleCounts countsOf(const std::vector<Example>& examples) {
    ExampleCounts counts{.examples = std::ssize(examples)};
    std::vector<int64_t> lengths;
    for (const Example& example : examples) {
        counts.without_span += !example.usable();
        counts.edited += example.edited();
        if (example.usable() && example.choice.picked)
            lengths.push_back(std::ssize(example.choice.span.targets));
    }
    counts.picked = std::ssize(lengths);
    if (lengths.empty())
        return counts;
    std::sort(lengths.begin(), lengths.end());
    counts.shortest = lengths.front();
    counts.longest = lengths.back();
    const size_t half = lengths.size() / 2;
    counts.median = lengths.size() % 2 == 1 ? static_cast<double>(lengths[half])
                                            : 0.5 * static_cast<double>(lengths[half - 1] + lengths[half]);
    return counts;
}

QString summaryOf(const ExampleCounts& counts) {
    QString text =
        tr("%1 of %2 examples are picked").arg(formatCount(counts.picked), formatCount(counts.examples));
    if (counts.picked > 0)
        text += tr("; |S| is %1 to %2 tokens, median %3")
                    .arg(formatCount(counts.shortest), formatCount(counts.longest),
                         QString::number(counts.median));
    if (counts.without_span > 0)
        text += tr("; %1 without a span").arg(formatCount(counts.without_span));
    if (counts.edited > 0)
        text += tr("; %1 edited").arg(formatCount(counts.edited));
    return text + u'.';
}

std::map<int64_t, int64_t> spanLengths(const std::vector<Example>& examples) {
    std::map<int64_t, int64_t> lengths;
    for (const Example& example : examples)
        if (example.usable() && example.choice.picked)
            ++lengths[std::ssize(example.choice.span.targets)];
    return lengths;
}

bool asTheyCame(const std::vector<Example>& examples) {
    return std::all_of(examples.begin(), examples.end(), [](const Example& example) {
        return !example.edited() && (example.choice.picked || !example.usable());
    });
}

nlohmann::ordered_json sourcesOf(const std::vector<Example>& examples) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Example& example : examples)
        if (example.usable() && example.choice.picked)
            list.push_back(example.decided().source());
    return list;
}

QString spanText(const Example& example) {
    QStringList runs;
    for (const TokenSpan& run : runsOf(example.choice.span.targets)) {
        std::string text;
        for (int token = run.from; token < run.to && token < std::ssize(example.row.texts); ++token)
            text += example.row.texts[static_cast<size_t>(token)];
        runs.push_back(QString::fromStdString(text));
    }
    return runs.join(QStringLiteral(" | "));
}

}  // namespace spd
