#include "views/calibration/spans/span_edit.h"

#include <QCoreApplication>
#include <QRegularExpression>
#include <algorithm>

namespace spd {

using protocol::CharRange;

namespace {

bool beginsCharacter(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0) != 0x80;
}

int64_t characters(const std::string& text) {
    return std::count_if(text.begin(), text.end(), beginsCharacter);
}

CharRange clipped(CharRange range, int64_t shift, int64_t length) {
    return {std::clamp<int64_t>(range.begin - shift, 0, length),
            std::clamp<int64_t>(range.end - shift, 0, length)};
}

/// Tokens [first, last] as characters; empty where they hold nothing of the completion.
CharRange charactersOf(std::span<const CharRange> ranges, int first, int last) {
    CharRange found;
    for (int token = first; token <= last && token < std::ssize(ranges); ++token) {
        const CharRange& range = ranges[static_cast<size_t>(token)];
        if (range.begin == range.end)
            continue;
        if (found.begin == found.end)
            found = range;
        found.end = std::max(found.end, range.end);
    }
    return found;
}

SpanChoice withTargets(std::vector<int64_t> targets) {
    std::sort(targets.begin(), targets.end());
    targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
    return {.chars = {}, .targets = std::move(targets)};
}

}  // namespace

std::vector<CharRange> completionRanges(const protocol::ExampleRow& row) {
    std::string joined;
    for (const std::string& text : row.texts)
        joined += text;
    const size_t at = joined.find(row.prompt + row.completion);
    if (at == std::string::npos || !row.has_text)
        return {};
    const int64_t shift = characters(joined.substr(0, at)) + characters(row.prompt);
    const int64_t length = characters(row.completion);
    std::vector<CharRange> ranges;
    int64_t position = 0;
    for (const std::string& text : row.texts) {
        const int64_t size = characters(text);
        ranges.push_back(clipped({position, position + std::max<int64_t>(size, 1)}, shift, length));
        position += size;
    }
    return ranges;
}

std::vector<CharRange> normalized(std::vector<CharRange> spans) {
    std::erase_if(spans, [](const CharRange& span) { return span.begin >= span.end; });
    std::sort(spans.begin(), spans.end(),
              [](const CharRange& a, const CharRange& b) { return a.begin < b.begin; });
    std::vector<CharRange> joined;
    for (const CharRange& span : spans) {
        if (!joined.empty() && span.begin <= joined.back().end)
            joined.back().end = std::max(joined.back().end, span.end);
        else
            joined.push_back(span);
    }
    return joined;
}

std::vector<CharRange> without(const std::vector<CharRange>& spans, CharRange removed) {
    std::vector<CharRange> rest;
    for (const CharRange& span : spans) {
        rest.push_back({span.begin, std::min(span.end, removed.begin)});
        rest.push_back({std::max(span.begin, removed.end), span.end});
    }
    return normalized(std::move(rest));
}

std::vector<int64_t> targetsOf(std::span<const CharRange> ranges, const std::vector<CharRange>& spans) {
    std::vector<int64_t> targets;
    for (int64_t token = 1; token < std::ssize(ranges); ++token) {
        const CharRange& range = ranges[static_cast<size_t>(token)];
        const bool meets = std::any_of(spans.begin(), spans.end(), [&](const CharRange& span) {
            return std::max(range.begin, span.begin) < std::min(range.end, span.end);
        });
        if (meets)
            targets.push_back(token);
    }
    return targets;
}

std::vector<TokenSpan> runsOf(const std::vector<int64_t>& targets) {
    std::vector<TokenSpan> runs;
    for (const int64_t target : targets) {
        const int token = static_cast<int>(target);
        if (!runs.empty() && runs.back().to == token)
            ++runs.back().to;
        else
            runs.push_back({token, token + 1});
    }
    return runs;
}

SpanChoice choose(const protocol::ExampleRow& row, std::span<const CharRange> ranges, const SpanChoice& now,
                  int first, int last, bool add) {
    if (!row.has_text) {
        std::vector<int64_t> targets = add ? now.targets : std::vector<int64_t>();
        for (int token = std::max(1, first); token <= last; ++token)
            targets.push_back(token);
        return targets.empty() ? now : withTargets(std::move(targets));
    }
    const CharRange chosen = charactersOf(ranges, first, last);
    if (chosen.begin == chosen.end)
        return now;
    std::vector<CharRange> spans = add ? now.chars : std::vector<CharRange>();
    spans.push_back(chosen);
    spans = normalized(std::move(spans));
    return {.chars = spans, .targets = targetsOf(ranges, spans)};
}

SpanChoice remove(const protocol::ExampleRow& row, std::span<const CharRange> ranges, const SpanChoice& now,
                  int first, int last) {
    if (!row.has_text) {
        std::vector<int64_t> targets = now.targets;
        std::erase_if(targets, [&](int64_t target) { return target >= first && target <= last; });
        return withTargets(std::move(targets));
    }
    const CharRange removed = charactersOf(ranges, first, last);
    if (removed.begin == removed.end)
        return now;
    const std::vector<CharRange> spans = without(now.chars, removed);
    return {.chars = spans, .targets = targetsOf(ranges, spans)};
}

QString SpanPattern::problem() const {
    const QRegularExpression expression(pattern);
    if (pattern.isEmpty())
        return QCoreApplication::translate("SpanPattern", "the expression is empty");
    if (expression.isValid())
        return {};
    return QCoreApplication::translate("SpanPattern", "%1, at character %2")
        .arg(expression.errorString())
        .arg(expression.patternErrorOffset());
}

std::vector<CharRange> spansByPattern(const SpanPattern& pattern, const std::string& completion) {
    const QRegularExpression expression(pattern.pattern, QRegularExpression::MultilineOption |
                                                             QRegularExpression::UseUnicodePropertiesOption);
    const QString text = QString::fromStdString(completion);
    // Characters before each UTF-16 unit: a pair of surrogates is one character.
    std::vector<int64_t> character(static_cast<size_t>(text.size()) + 1, 0);
    for (qsizetype i = 0; i < text.size(); ++i)
        character[static_cast<size_t>(i) + 1] = character[static_cast<size_t>(i)] + !text[i].isLowSurrogate();
    std::vector<CharRange> spans;
    QRegularExpressionMatchIterator matches = expression.globalMatch(text);
    while (matches.hasNext()) {
        const QRegularExpressionMatch match = matches.next();
        const int group = match.lastCapturedIndex() >= 1 && match.capturedLength(1) > 0 ? 1 : 0;
        if (match.capturedLength(group) == 0)
            continue;
        spans.push_back({character[static_cast<size_t>(match.capturedStart(group))],
                         character[static_cast<size_t>(match.capturedEnd(group))]});
        if (pattern.which == SpanPattern::Which::first)
            break;
    }
    if (pattern.which == SpanPattern::Which::last && spans.size() > 1)
        spans.erase(spans.begin(), spans.end() - 1);
    return normalized(std::move(spans));
}

}  // namespace spd
