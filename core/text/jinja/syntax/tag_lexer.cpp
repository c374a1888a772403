#include <array>

#include "core/text/jinja/runtime/meter.h"
#include "core/text/jinja/syntax/lexer.h"
#include "core/text/jinja/syntax/string_literal.h"

namespace spd::jinja {
namespace {

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}
bool isNameStart(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

void Lexer::lexTokenInTag() {
    const char c = source_[at_];
    if (isDigit(c)) {
        lexNumber();
    } else if (isNameStart(c)) {
        size_t end = at_;
        while (end < source_.size() && (isNameStart(source_[end]) || isDigit(source_[end])))
            ++end;
        add(TokenType::name, std::string(source_.substr(at_, end - at_)));
        at_ = end;
    } else if (c == '\'' || c == '"') {
        lexString();
    } else {
        lexSymbol();
    }
}

/// Digits with single underscores between them, from at_ on.
void Lexer::lexDigits() {
    while (isDigit(peek(at_)) || (peek(at_) == '_' && isDigit(peek(at_ + 1))))
        ++at_;
}

/// 0x1F, 0o17, 0b1; false when the number is decimal.
bool Lexer::lexBasedInteger() {
    const char marker = static_cast<char>(peek(at_ + 1) | 0x20);
    if (source_[at_] != '0' || (marker != 'x' && marker != 'o' && marker != 'b'))
        return false;
    const std::string_view digits = marker == 'x'   ? "0123456789abcdefABCDEF"
                                    : marker == 'o' ? "01234567"
                                                    : "01";
    const size_t begin = at_;
    at_ += 2;
    while (at_ < source_.size() &&
           (digits.find(source_[at_]) != std::string_view::npos || source_[at_] == '_'))
        ++at_;
    const std::string_view text = source_.substr(begin, at_ - begin);
    if (text.size() < 3 || text.back() == '_' || text.find("__") != std::string_view::npos)
        throw Fault("a number is malformed", line_);
    add(TokenType::integer, std::string(text));
    return true;
}

void Lexer::lexNumber() {
    if (lexBasedInteger())
        return;
    const size_t begin = at_;
    const bool may_be_real = begin == 0 || source_[begin - 1] != '.';  // x.0.1 takes two items
    bool is_real = false;
    lexDigits();
    if (may_be_real && peek(at_) == '.' && isDigit(peek(at_ + 1))) {
        is_real = true;
        ++at_;
        lexDigits();
    }
    const bool has_sign = peek(at_ + 1) == '-' || peek(at_ + 1) == '+';
    if (may_be_real && (peek(at_) | 0x20) == 'e' && isDigit(peek(at_ + (has_sign ? 2 : 1)))) {
        is_real = true;
        at_ += has_sign ? 2 : 1;
        lexDigits();
    }
    const std::string_view text = source_.substr(begin, at_ - begin);
    const bool leading_zero =
        !is_real && text[0] == '0' && text.find_first_not_of("0_") != std::string_view::npos;
    if (leading_zero)
        throw Fault("a number is malformed", line_);
    add(is_real ? TokenType::real : TokenType::integer, std::string(text));
}

void Lexer::lexString() {
    const char quote = source_[at_];
    size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote)
        end += source_[end] == '\\' ? 2u : 1u;
    if (end >= source_.size())
        throw Fault("unclosed string", line_);
    add(TokenType::string, unescapeString(source_.substr(at_ + 1, end - at_ - 1), line_));
    moveTo(end + 1);
}

void Lexer::lexSymbol() {
    static constexpr std::array<std::string_view, 26> symbols = {
        "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
        "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ",", ";"};
    for (const std::string_view symbol : symbols)
        if (startsWith(symbol, at_)) {
            trackBrackets(symbol[0]);
            add(TokenType::symbol, std::string(symbol));
            at_ += symbol.size();
            return;
        }
    size_t end = at_;
    nextCodePoint(source_, end);
    throw Fault("unexpected character '" + std::string(source_.substr(at_, end - at_)) + "'", line_);
}

void Lexer::trackBrackets(char c) {
    if (c == '{')
        brackets_ += '}';
    else if (c == '(')
        brackets_ += ')';
    else if (c == '[')
        brackets_ += ']';
    if (c != '}' && c != ')' && c != ']')
        return;
    if (brackets_.empty() || brackets_.back() != c)
        throw Fault(std::string("unexpected '") + c + "'", line_);
    brackets_.pop_back();
}

}  // namespace spd::jinja
