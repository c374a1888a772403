#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

namespace spd {

Error::Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}

Error Error::fileFormat(std::string_view file, std::string_view position, std::string_view rule) {
    std::string message = printable(file, 1000);
    if (!position.empty())
        message += ": " + printable(position);
    return Error(ErrorKind::file_format, message + ": " + printable(rule, 500));
}

int Error::exitCode() const {
    switch (kind_) {
        case ErrorKind::invalid_argument:
        case ErrorKind::not_found:
            return 2;
        case ErrorKind::file_format:
        case ErrorKind::unsupported_model:
            return 3;
        case ErrorKind::out_of_memory:
        case ErrorKind::io:
        case ErrorKind::diverged:
        case ErrorKind::internal:
            break;
    }
    return 1;
}

Error& Error::withDetails(std::vector<std::string> details) {
    details_ = std::move(details);
    return *this;
}

Error& Error::withSystemCode(int code) {
    system_code_ = code;
    return *this;
}

bool Error::isDiskFull() const {
    return system_code_ == ENOSPC || system_code_ == EDQUOT;
}

namespace {

/// Bytes of the character that `text` begins with; 0 when it begins with none.
size_t characterLength(std::string_view text) {
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    const size_t length = first < 0x80   ? 1
                          : first < 0xC2 ? 0
                          : first < 0xE0 ? 2
                          : first < 0xF0 ? 3
                          : first < 0xF5 ? 4
                                         : 0;
    if (length == 0 || length > text.size())
        return 0;
    for (size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80)
            return 0;
    // Overlong forms, surrogates, beyond U+10FFFF.
    const bool is_wrong = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F) ||
                          (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
    return is_wrong ? 0 : length;
}

/// A control character, or one that changes the direction of what follows it.
bool isHarmful(std::string_view character) {
    const auto first = static_cast<unsigned char>(character[0]);
    if (first < 0x20 || first == 0x7F)
        return true;
    if (first == 0xC2)
        return static_cast<unsigned char>(character[1]) < 0xA0;  // U+0080 to U+009F
    return (character >= "\u202A" && character <= "\u202E") ||
           (character >= "\u2066" && character <= "\u2069");
}

}  // namespace

std::string printable(std::string_view text, size_t max_bytes) {
    std::string out;
    for (size_t i = 0; i < text.size();) {
        if (out.size() >= max_bytes)
            return out + "...";
        const size_t length = characterLength(text.substr(i));
        const std::string_view character = text.substr(i, std::max<size_t>(length, 1));
        i += character.size();
        if (length > 0 && !isHarmful(character)) {
            out += character;
            continue;
        }
        for (const char byte : character)
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    }
    return out;
}

}  // namespace spd
