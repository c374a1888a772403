#include "core/base/error.h"

#include <fmt/format.h>

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
        case ErrorKind::internal:
            break;
    }
    return 1;
}

Error& Error::withDetails(std::vector<std::string> details) {
    details_ = std::move(details);
    return *this;
}

std::string printable(std::string_view text, size_t max_bytes) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool starts_character = (byte & 0xC0) != 0x80;
        if (starts_character && out.size() >= max_bytes)
            return out + "...";
        if (byte < 0x20 || byte == 0x7F)
            out += fmt::format("\\x{:02x}", byte);
        else
            out += text[i];
    }
    return out;
}

}  // namespace spd
