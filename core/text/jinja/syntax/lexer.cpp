#include "core/text/jinja/syntax/lexer.h"

#include "core/text/jinja/runtime/meter.h"

namespace spd::jinja {
namespace {

/// CR LF and CR become LF; one line end at the very end is dropped.
std::string normalizeLines(std::string_view source) {
    std::string out;
    out.reserve(source.size());
    for (size_t i = 0; i < source.size(); ++i) {
        if (source[i] != '\r')
            out += source[i];
        else if (i + 1 == source.size() || source[i + 1] != '\n')
            out += '\n';
    }
    if (!out.empty() && out.back() == '\n')
        out.pop_back();
    return out;
}

}  // namespace

/// The text up to the next tag, then that tag.
void Lexer::lexText() {
    size_t tag = at_;
    while ((tag = source_.find('{', tag)) != std::string_view::npos && peek(tag + 1) != '{' &&
           peek(tag + 1) != '%' && peek(tag + 1) != '#')
        ++tag;
    if (tag == std::string_view::npos) {
        add(TokenType::data, std::string(source_.substr(at_)));
        at_ = source_.size();
        return;
    }
    const char kind = peek(tag + 1);
    if (kind == '%' && lexRaw(tag))
        return;
    const char sign = peek(tag + 2);
    const bool has_sign = sign == '-' || sign == '+';
    addText(tag, sign, kind != '{');
    moveTo(tag + 2 + (has_sign ? 1 : 0));
    line_starting_ = false;
    if (kind == '#')
        lexComment();
    else
        lexTag(kind == '%');
}

/// Adds the text from here to a tag at `end` as the tag's sign and lstrip_blocks leave it.
void Lexer::addText(size_t end, char sign, bool may_strip_line) {
    const std::string_view text = source_.substr(at_, end - at_);
    size_t kept = text.size();
    if (sign == '-') {
        kept = stripRange(text, nullptr, {false, true}).second;
    } else if (sign != '+' && may_strip_line) {
        const size_t line_begin = text.rfind('\n') + 1;  // npos + 1 is 0
        const bool whole_line = line_begin > 0 || line_starting_;
        if (whole_line &&
            stripRange(text.substr(line_begin), nullptr, {true, true}).first == text.size() - line_begin)
            kept = line_begin;
    }
    if (kept > 0)
        add(TokenType::data, std::string(text.substr(0, kept)));
}

void Lexer::lexComment() {
    const size_t close = source_.find("#}", at_);
    if (close == std::string_view::npos)
        throw Fault("unclosed comment", line_);
    const char before = close > at_ ? source_[close - 1] : '\0';
    size_t end = close + 2;
    if (before == '-')
        end = skipSpace(end);
    else if (before != '+' && peek(end) == '\n')
        ++end;
    moveTo(end);
    line_starting_ = source_[end - 1] == '\n';
}

/// Behind white space and `word`, or npos.
size_t Lexer::behindWord(size_t position, std::string_view word) const {
    position = skipSpace(position);
    return startsWith(word, position) ? skipSpace(position + word.size()) : std::string_view::npos;
}

/// {% raw %}...{% endraw %} at `tag`; false when the tag is another one.
bool Lexer::lexRaw(size_t tag) {
    const auto behindSign = [&](size_t position) {
        return position + (peek(position) == '-' || peek(position) == '+' ? 1 : 0);
    };
    const size_t word_end = behindWord(behindSign(tag + 2), "raw");
    if (word_end == std::string_view::npos)
        return false;
    const bool trims = startsWith("-%}", word_end);
    if (!trims && !startsWith("%}", word_end))
        return false;
    addText(tag, peek(tag + 2), true);
    moveTo(trims ? skipSpace(word_end + 3) : word_end + 2);
    line_starting_ = source_[at_ - 1] == '\n';
    for (size_t close = at_; (close = source_.find("{%", close)) != std::string_view::npos; close += 2) {
        const size_t end = behindWord(behindSign(close + 2), "endraw");
        if (end == std::string_view::npos)
            continue;
        if (!startsWith("%}", end) && !startsWith("-%}", end) && !startsWith("+%}", end))
            continue;
        addText(close, peek(close + 2), true);
        closeBlock(end);
        return true;
    }
    throw Fault("unclosed raw block", line_);
}

/// Moves behind a block's end at `position`: "%}" with its line end, "-%}" with all white space, "+%}" alone.
void Lexer::closeBlock(size_t position) {
    size_t end = position + (source_[position] == '%' ? 2 : 3);
    if (source_[position] == '-')
        end = skipSpace(end);
    else if (source_[position] == '%' && peek(end) == '\n')
        ++end;
    moveTo(end);
    line_starting_ = source_[end - 1] == '\n';
}

void Lexer::lexTag(bool is_block) {
    const int opened = line_;
    add(is_block ? TokenType::block_begin : TokenType::variable_begin, "");
    while (true) {
        if (at_ >= source_.size())
            throw Fault(std::string("unclosed ") + (is_block ? "{%" : "{{"), opened);
        if (brackets_.empty() && lexTagEnd(is_block))
            return;
        const size_t behind_space = skipSpace(at_);
        if (behind_space > at_)
            moveTo(behind_space);
        else
            lexTokenInTag();
    }
}

bool Lexer::lexTagEnd(bool is_block) {
    if (is_block) {
        if (!startsWith("%}", at_) && !startsWith("-%}", at_) && !startsWith("+%}", at_))
            return false;
        add(TokenType::block_end, "");
        closeBlock(at_);
        return true;
    }
    const bool trims = startsWith("-}}", at_);
    if (!trims && !startsWith("}}", at_))
        return false;
    add(TokenType::variable_end, "");
    moveTo(trims ? skipSpace(at_ + 3) : at_ + 2);
    line_starting_ = source_[at_ - 1] == '\n';
    return true;
}

std::vector<Token> tokenize(std::string_view source) {
    if (source.size() > max_template_bytes)
        throw Fault("the template is larger than 1 MiB");
    if (!isValidUtf8(source))
        throw Fault("the template is no UTF-8");
    if (source.find('\0') != std::string_view::npos)
        throw Fault("the template contains NUL");
    const std::string normalized = normalizeLines(source);
    return Lexer(normalized).run();
}

}  // namespace spd::jinja
