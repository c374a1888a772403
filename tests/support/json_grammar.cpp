#include "tests/support/json_grammar.h"

#include <cstddef>
#include <string>

namespace spd::test {
namespace {

bool isUtf8(std::string_view text) {
    struct Row {
        unsigned char first_low, first_high, second_low, second_high;
        size_t length;
    };
    constexpr Row table[] = {
        {0x00, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
        {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
        {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
    };
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    for (size_t i = 0; i < text.size();) {
        const Row* row = nullptr;
        for (const Row& candidate : table)
            if (byte(i) >= candidate.first_low && byte(i) <= candidate.first_high)
                row = &candidate;
        if (row == nullptr || i + row->length > text.size())
            return false;
        if (row->length > 1 && (byte(i + 1) < row->second_low || byte(i + 1) > row->second_high))
            return false;
        for (size_t k = 2; k < row->length; ++k)
            if (byte(i + k) < 0x80 || byte(i + k) > 0xBF)
                return false;
        i += row->length;
    }
    return true;
}

/// Each function moves behind what it names and is false where that is not there.
class Grammar {
public:
    explicit Grammar(std::string_view text) : text_(text) {}

    bool wholeText() {
        std::string open;  // the brackets around the position
        do {
            if (!valueOrOpening(open))
                return false;
            while (!open.empty() && !has(','))
                if (!closing(open))
                    return false;
            if (!open.empty() && open.back() == '{' && !name())
                return false;
        } while (!open.empty());
        return at_ == text_.size();
    }

private:
    /// One whole value, or "[" and "{" as deep as they go in front of one.
    bool valueOrOpening(std::string& open) {
        for (;;) {
            blanks();
            if (has('[')) {
                if (has(']'))
                    return blanks(), true;
                open += '[';
            } else if (has('{')) {
                if (has('}'))
                    return blanks(), true;
                open += '{';
                if (!name())
                    return false;
            } else {
                return scalar() && blanks();
            }
        }
    }

    bool closing(std::string& open) {
        if (!has(open.back() == '[' ? ']' : '}'))
            return false;
        open.pop_back();
        return true;
    }

    bool name() { return blanks() && string() && has(':'); }

    bool scalar() {
        for (const std::string_view word : {"true", "false", "null"})
            if (text_.substr(at_).starts_with(word)) {
                at_ += word.size();
                return true;
            }
        return peek() == '"' ? string() : number();
    }

    bool number() {
        if (peek() == '-')
            ++at_;
        if (peek() == '0')
            ++at_;
        else if (!digits())
            return false;
        if (peek() == '.' && (++at_, !digits()))
            return false;
        if (peek() != 'e' && peek() != 'E')
            return true;
        ++at_;
        if (peek() == '+' || peek() == '-')
            ++at_;
        return digits();
    }

    bool digits() {
        const size_t first = at_;
        while (peek() >= '0' && peek() <= '9')
            ++at_;
        return at_ > first;
    }

    bool string() {
        if (peek() != '"')
            return false;
        for (++at_; at_ < text_.size(); ++at_) {
            if (text_[at_] == '"')
                return ++at_, blanks();
            if (static_cast<unsigned char>(text_[at_]) < 0x20)
                return false;
            if (text_[at_] == '\\' && !escape())
                return false;
        }
        return false;
    }

    /// Stays on its last character.
    bool escape() {
        ++at_;
        if (peek() != 'u')
            return peek() > 0 && std::string_view("\"\\/bfnrt").find(text_[at_]) != std::string_view::npos;
        for (int i = 0; i < 4; ++i) {
            ++at_;
            if (peek() <= 0 ||
                std::string_view("0123456789abcdefABCDEF").find(text_[at_]) == std::string_view::npos)
                return false;
        }
        return true;
    }

    /// The character, with blanks on both sides of it.
    bool has(char c) {
        blanks();
        if (peek() != c)
            return false;
        ++at_;
        return blanks();
    }

    bool blanks() {
        while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')
            ++at_;
        return true;
    }

    /// -1 at the end.
    int peek() const { return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : -1; }

    std::string_view text_;
    size_t at_ = 0;
};

}  // namespace

bool isJsonText(std::string_view text) {
    return isUtf8(text) && Grammar(text).wholeText();
}

}  // namespace spd::test
