#pragma once

#include <QString>
#include <span>
#include <vector>

#include "core/protocol/answers/calibration.h"
#include "views/shared/token_view/shown_token.h"

namespace spd {

// Editing correctness spans: pure functions between characters of a completion and tokens.

/// The span S of one example. Of an example that came as token ids only `targets` is edited.
struct SpanChoice {
    std::vector<protocol::CharRange> chars;  ///< of the completion: sorted, apart, none empty
    std::vector<int64_t> targets;            ///< tokens that belong to S, ascending

    bool operator==(const SpanChoice&) const = default;
};

/// For each token the characters of the completion that it covers; empty ranges for those of the prompt and
/// for special tokens around. A token whose character ends with a later one covers that character. No ranges
/// at all where the tokens' texts do not hold prompt and completion (a tokenizer that changes the text): then
/// spans cannot be edited by token.
std::vector<protocol::CharRange> completionRanges(const protocol::ExampleRow& row);

/// Sorted, joined where they touch or overlap, without empty ones.
std::vector<protocol::CharRange> normalized(std::vector<protocol::CharRange> spans);
std::vector<protocol::CharRange> without(const std::vector<protocol::CharRange>& spans,
                                         protocol::CharRange removed);

/// Tokens whose characters meet a span; never token 0, which nothing predicts.
std::vector<int64_t> targetsOf(std::span<const protocol::CharRange> ranges,
                               const std::vector<protocol::CharRange>& spans);
/// Neighbours joined: what a TokenView fills.
std::vector<TokenSpan> runsOf(const std::vector<int64_t>& targets);

/// Tokens [first, last] as the span, or beside it. The same choice where they hold nothing of the completion.
SpanChoice choose(const protocol::ExampleRow& row, std::span<const protocol::CharRange> ranges,
                  const SpanChoice& now, int first, int last, bool add);
SpanChoice remove(const protocol::ExampleRow& row, std::span<const protocol::CharRange> ranges,
                  const SpanChoice& now, int first, int last);

/// Spans by a regular expression over completions: its first group, else the whole match.
struct SpanPattern {
    enum class Which { last, first, all };
    QString pattern;
    Which which = Which::last;

    /// What is wrong with the pattern, with its position; empty: nothing.
    QString problem() const;
};
/// The spans in one completion (UTF-8); none where it does not match. The pattern must have no problem.
std::vector<protocol::CharRange> spansByPattern(const SpanPattern& pattern, const std::string& completion);

}  // namespace spd
