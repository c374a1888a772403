#pragma once

#include <QString>
#include <cstdint>
#include <limits>

namespace spd {

/// One token as a TokenView shows it.
struct ShownToken {
    QString text;  ///< what it adds to the text; empty when its character ends with a later token
    int32_t id = 0;
    bool special = false;
    QString note = {};  ///< further lines of its tooltip: its place in the text, its probability
    double heat = std::numeric_limits<double>::quiet_NaN();  ///< 0 .. 1: ground in cividis; not finite: none
};

/// Tokens [from, to).
struct TokenSpan {
    int from = 0;
    int to = 0;

    bool operator==(const TokenSpan&) const = default;
};

/// The text with what cannot be seen made readable: line ends, tabs, control characters, and spaces where
/// they stand in a row or alone. A space beside a word stays one: the token's ground shows it.
QString readableText(const QString& text);

/// "token 12, id 345, " 16"": for tooltips and screen readers. @param index  from 0
QString describeToken(int index, const ShownToken& token);

}  // namespace spd
