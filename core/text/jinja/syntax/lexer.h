#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/jinja/python/python_text.h"

namespace spd::jinja {

enum class TokenType : uint8_t {
    data,            // text between tags, white space control applied
    variable_begin,  // {{
    variable_end,    // }}
    block_begin,     // {%
    block_end,       // %}
    name,
    string,  // value: escapes resolved
    integer,
    real,
    symbol,  // value: one of + - * / // % ** ~ [ ] ( ) { } == != > >= < <= = . : | , ;
    end,
};

struct Token {
    TokenType type;
    std::string value;
    int line;

    bool isSymbol(std::string_view text) const { return type == TokenType::symbol && value == text; }
    bool isName(std::string_view text) const { return type == TokenType::name && value == text; }
};

/// Cuts a template into tokens as Jinja does with trim_blocks and lstrip_blocks on (and keep_trailing_newline
/// off); comments and raw blocks are gone, `-` and `+` at a tag's edges are done. Identifiers are ASCII.
/// Linear in the source. The last token is `end`.
/// @throws Fault with its line: invalid UTF-8, NUL, unclosed tag, comment or string, unbalanced brackets, a
/// character or an escape outside the language
std::vector<Token> tokenize(std::string_view source);

/// The lexer's state while it runs; what it finds inside a tag is in tag_lexer.cpp.
class Lexer {
public:
    explicit Lexer(std::string_view source) : source_(source) {}

    std::vector<Token> run() {
        while (at_ < source_.size())
            lexText();
        add(TokenType::end, "");
        return std::move(tokens_);
    }

private:
    // Text and tags.
    void lexText();
    void addText(size_t end, char sign, bool may_strip_line);
    void lexComment();
    bool lexRaw(size_t tag);
    void lexTag(bool is_block);
    bool lexTagEnd(bool is_block);
    size_t behindWord(size_t position, std::string_view word) const;
    void closeBlock(size_t position);

    // Inside a tag.
    void lexTokenInTag();
    void lexNumber();
    bool lexBasedInteger();
    void lexDigits();
    void lexString();
    void lexSymbol();
    void trackBrackets(char c);

    bool startsWith(std::string_view text, size_t position) const {
        return source_.substr(position, text.size()) == text;
    }
    char peek(size_t position) const { return position < source_.size() ? source_[position] : '\0'; }
    size_t skipSpace(size_t position) const {
        while (position < source_.size()) {
            size_t next = position;
            if (!isPythonSpace(nextCodePoint(source_, next)))
                break;
            position = next;
        }
        return position;
    }
    /// Moves to `position`, counting lines.
    void moveTo(size_t position) {
        line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                             source_.begin() + static_cast<std::ptrdiff_t>(position), '\n'));
        at_ = position;
    }
    void add(TokenType type, std::string value) { tokens_.push_back({type, std::move(value), line_}); }

    std::string_view source_;
    size_t at_ = 0;
    int line_ = 1;
    bool line_starting_ = true;  // what was read last ended a line
    std::string brackets_;       // the closing ones that are awaited
    std::vector<Token> tokens_;
};

}  // namespace spd::jinja
