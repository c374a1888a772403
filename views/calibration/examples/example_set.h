#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <vector>

#include "views/calibration/spans/example_command.h"

namespace spd {

/// An example with what was decided about it and what a run measured.
struct Example {
    protocol::ExampleRow row;
    std::vector<protocol::CharRange> ranges;  ///< completionRanges()
    ExampleChoice choice;
    SpanChoice original;
    double loss = std::numeric_limits<double>::quiet_NaN();
    double gradient_norm = std::numeric_limits<double>::quiet_NaN();

    /// It has tokens, and at least one of them belongs to S.
    bool usable() const { return !row.ids.empty() && !choice.span.targets.empty(); }
    bool edited() const { return !(choice.span == original); }
    /// The row with the span as it is decided now.
    protocol::ExampleRow decided() const;
};

Example exampleOf(protocol::ExampleRow row);

/// Numbers over a list, for its one line of summary.
struct ExampleCounts {
    int64_t examples = 0;
    int64_t without_span = 0;
    int64_t edited = 0;
    int64_t picked = 0;  ///< and usable: what a run takes
    int64_t shortest = 0;
    int64_t longest = 0;
    double median = 0;  ///< of |S| over the picked ones
};
ExampleCounts countsOf(const std::vector<Example>& examples);
QString summaryOf(const ExampleCounts& counts);

/// |S| -> how many of the picked examples have it.
std::map<int64_t, int64_t> spanLengths(const std::vector<Example>& examples);

/// Nothing was left out and no span changed: a run may name the examples' source.
bool asTheyCame(const std::vector<Example>& examples);
/// What a run takes where it may not.
nlohmann::ordered_json sourcesOf(const std::vector<Example>& examples);

/// The text of S: what the picked tokens say, runs apart by " | ".
QString spanText(const Example& example);

}  // namespace spd
