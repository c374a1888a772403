#include "core/data/tasks/spans.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace spd {
namespace {

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

bool isNameCharacter(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
}

TextRange trimmed(std::string_view text, TextRange range) {
    constexpr std::string_view kBlanks = " \t\r\n";
    while (range.begin < range.end && kBlanks.find(text[range.begin]) != std::string_view::npos)
        ++range.begin;
    while (range.begin < range.end && kBlanks.find(text[range.end - 1]) != std::string_view::npos)
        --range.end;
    return range;
}

/// The end of the Python string literal that begins with the quote at `begin`; npos when it is never closed.
size_t endOfString(std::string_view text, size_t begin) {
    const std::string_view one = text.substr(begin, 1);
    const bool triple = text.substr(begin, 3) == std::string(3, one[0]);
    const size_t width = triple ? 3 : 1;
    for (size_t i = begin + width; i < text.size(); ++i) {
        if (text[i] == '\\')
            ++i;
        else if (text[i] == one[0] && (!triple || text.substr(i, 3) == text.substr(begin, 3)))
            return i + width;
    }
    return std::string_view::npos;
}

/// What lies outside all brackets of an expression.
struct Outline {
    bool sound = true;                ///< brackets and quotes close
    size_t end = 0;                   ///< of the expression: before a message or a comment
    std::vector<TextRange> equals;    ///< each ==
    bool other = false;               ///< another comparison, or and, or, not, ...
    std::optional<TextRange> inside;  ///< of the first pair of brackets
};

class Outliner {
public:
    Outliner(std::string_view text, TextRange range) : text_(text.substr(0, range.end)), at_(range.begin) {
        outline_.end = range.end;
    }

    Outline run() {
        while (outline_.sound && at_ < outline_.end)
            step();
        outline_.sound = outline_.sound && depth_ == 0;
        return outline_;
    }

private:
    void step() {
        const char c = text_[at_];
        if (c == '"' || c == '\'') {
            at_ = endOfString(text_, at_);
            outline_.sound = at_ != std::string_view::npos;
        } else if (c == '#' || (c == ',' && depth_ == 0)) {
            outline_.end = at_;
        } else if (isNameCharacter(c)) {
            word();
        } else if (std::string_view("([{").find(c) != std::string_view::npos) {
            open();
        } else if (std::string_view(")]}").find(c) != std::string_view::npos) {
            close();
        } else {
            comparison(c);
        }
    }

    void word() {
        const size_t begin = at_;
        while (at_ < outline_.end && isNameCharacter(text_[at_]))
            ++at_;
        static constexpr std::array<std::string_view, 8> kWords = {"and",  "or", "not", "if",
                                                                   "else", "in", "is",  "lambda"};
        if (depth_ == 0 &&
            std::find(kWords.begin(), kWords.end(), text_.substr(begin, at_ - begin)) != kWords.end())
            outline_.other = true;
    }

    void open() {
        if (depth_++ == 0)
            opened_ = at_;
        ++at_;
    }

    void close() {
        outline_.sound = depth_ > 0;
        if (--depth_ == 0 && !outline_.inside)
            outline_.inside = TextRange{opened_ + 1, at_};
        ++at_;
    }

    void comparison(char c) {
        const bool two = text_.substr(at_ + 1).starts_with('=');
        const bool compares = c == '<' || c == '>' || (two && (c == '=' || c == '!'));
        if (depth_ == 0 && compares) {
            if (c == '=')
                outline_.equals.push_back({at_, at_ + 2});
            else
                outline_.other = true;
        }
        at_ += compares && two ? 2 : 1;
    }

    std::string_view text_;
    size_t at_;
    int depth_ = 0;
    size_t opened_ = 0;
    Outline outline_;
};

/// What the one pair of parentheses around an expression holds; nothing where there is none, or where it
/// makes a tuple.
std::optional<TextRange> insideOf(std::string_view text, TextRange expression) {
    const Outline outline = Outliner(text, expression).run();
    const bool enclosed = outline.inside && text[expression.begin] == '(' &&
                          outline.inside->begin == expression.begin + 1 &&
                          outline.inside->end + 1 == expression.end;
    if (!enclosed)
        return std::nullopt;
    const TextRange inside = trimmed(text, *outline.inside);
    const Outline inner = Outliner(text, inside).run();
    return inside.begin < inside.end && inner.end == inside.end ? std::optional(inside) : std::nullopt;
}

std::optional<TextRange> rightSide(std::string_view text, TextRange range) {
    for (std::optional<TextRange> next = range; next;) {
        range = trimmed(text, *next);
        const Outline outline = Outliner(text, range).run();
        if (!outline.sound || outline.other || outline.equals.size() > 1)
            return std::nullopt;
        const TextRange expression = trimmed(text, {range.begin, outline.end});
        if (outline.equals.size() == 1) {
            TextRange side = trimmed(text, {outline.equals[0].end, expression.end});
            while (const std::optional<TextRange> inside = insideOf(text, side))
                side = *inside;
            return side.begin < side.end ? std::optional(side) : std::nullopt;
        }
        next = insideOf(text, expression);
    }
    return std::nullopt;
}

}  // namespace

std::optional<TextRange> answerNumber(std::string_view answer) {
    const size_t mark = answer.rfind("####");
    if (mark == std::string_view::npos)
        return std::nullopt;
    const auto digitAt = [&](size_t at) { return at < answer.size() && isDigit(answer[at]); };
    size_t begin = std::min(answer.find_first_not_of(" \t", mark + 4), answer.size());
    if (answer.substr(begin).starts_with('$'))
        ++begin;
    size_t end = begin + (answer.substr(begin).starts_with('-') ? 1 : 0);
    if (answer.substr(end).starts_with('$'))  // -$5: the sign belongs to the number, the $ cannot be left out
        return std::nullopt;
    const bool leading_dot = answer.substr(end).starts_with('.');
    if (!digitAt(end + (leading_dot ? 1 : 0)))
        return std::nullopt;
    while (digitAt(end) || (end < answer.size() && answer[end] == ',' && digitAt(end + 1)))
        ++end;
    if (end < answer.size() && answer[end] == '.' && digitAt(end + 1))
        for (++end; digitAt(end);)
            ++end;
    return TextRange{begin, end};
}

std::string answerNumberText(std::string_view answer) {
    const std::optional<TextRange> range = answerNumber(answer);
    std::string number(range ? answer.substr(range->begin, range->end - range->begin) : "");
    std::erase(number, ',');
    return number;
}

bool isAssertion(std::string_view statement) {
    constexpr std::string_view kWord = "assert";
    return statement.starts_with(kWord) &&
           (statement.size() == kWord.size() || !isNameCharacter(statement[kWord.size()]));
}

std::optional<TextRange> expectedValue(std::string_view assertion) {
    const TextRange whole = trimmed(assertion, {0, assertion.size()});
    if (!isAssertion(assertion.substr(whole.begin)))
        return std::nullopt;
    return rightSide(assertion, {whole.begin + 6, whole.end});
}

}  // namespace spd
