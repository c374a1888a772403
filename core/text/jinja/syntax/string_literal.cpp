#include "core/text/jinja/syntax/string_literal.h"

#include "core/text/jinja/python/python_text.h"
#include "core/text/jinja/runtime/meter.h"

namespace spd::jinja {
namespace {

class Unescaper {
public:
    Unescaper(std::string_view literal, int line) : literal_(literal), line_(line) {}

    std::string run() {
        while (at_ < literal_.size()) {
            const char c = literal_[at_++];
            if (c == '\\' && at_ < literal_.size())
                escape(literal_[at_++]);
            else
                out_ += c;
        }
        return std::move(out_);
    }

private:
    void escape(char c) {
        static constexpr std::string_view letters = "\\'\"abfnrtv";
        static constexpr std::string_view meanings = "\\'\"\a\b\f\n\r\t\v";
        if (const size_t index = letters.find(c); index != std::string_view::npos)
            out_ += meanings[index];
        else if (c >= '0' && c <= '7')
            octal();
        else if (c == 'x' || c == 'u' || c == 'U')
            hexadecimal(c == 'x' ? 2 : c == 'u' ? 4 : 8);
        else if (c == 'N')
            throw Fault("the string escape \\N is not supported", line_);
        else if (static_cast<unsigned char>(c) >= 0x80)
            throw Fault("a backslash before a non-ASCII character is not supported", line_);
        else if (c != '\n')  // a backslash at a line's end joins the lines
            out_ += {'\\', c};
    }

    void octal() {
        char32_t number = 0;
        --at_;
        for (int digits = 0; digits < 3 && at_ < literal_.size(); ++digits, ++at_) {
            const char c = literal_[at_];
            if (c < '0' || c > '7')
                break;
            number = number * 8 + static_cast<char32_t>(c - '0');
        }
        appendCodePoint(out_, number);
    }

    void hexadecimal(size_t digits) {
        char32_t number = 0;
        for (size_t i = 0; i < digits; ++i, ++at_) {
            const char c = at_ < literal_.size() ? literal_[at_] : '\0';
            const char letter = static_cast<char>(c | 0x20);
            if (c >= '0' && c <= '9')
                number = number * 16 + static_cast<char32_t>(c - '0');
            else if (letter >= 'a' && letter <= 'f')
                number = number * 16 + static_cast<char32_t>(letter - 'a' + 10);
            else
                throw Fault("a string escape lacks hexadecimal digits", line_);
        }
        if (number > 0x10FFFF || (number >= 0xD800 && number <= 0xDFFF))
            throw Fault("a string escape is no Unicode character", line_);
        appendCodePoint(out_, number);
    }

    std::string_view literal_;
    int line_;
    size_t at_ = 0;
    std::string out_;
};

}  // namespace

std::string unescapeString(std::string_view literal, int line) {
    return Unescaper(literal, line).run();
}

}  // namespace spd::jinja
