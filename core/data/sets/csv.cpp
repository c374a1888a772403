#include "core/data/sets/csv.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/text/unicode/utf8.h"

namespace spd {
namespace {

class CsvReader {
public:
    CsvReader(std::string_view text, const std::string& file) : text_(text), file_(file) {}

    std::vector<std::vector<std::string>> read() {
        std::vector<std::vector<std::string>> rows;
        while (at_ < text_.size()) {
            if (skipRowEnd())
                continue;
            std::vector<std::string> row = {readField()};
            while (at_ < text_.size() && text_[at_] == ',') {
                ++at_;
                row.push_back(readField());
            }
            if (at_ < text_.size() && !skipRowEnd())
                refuse(at_, "text after a closing quote");
            rows.push_back(std::move(row));
        }
        return rows;
    }

private:
    bool skipRowEnd() {
        const size_t length = text_.substr(at_).starts_with("\r\n")      ? 2
                              : text_[at_] == '\n' || text_[at_] == '\r' ? 1
                                                                         : 0;
        at_ += length;
        return length > 0;
    }

    std::string readField() {
        if (at_ < text_.size() && text_[at_] == '"')
            return readQuoted();
        const size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
        const std::string_view field = text_.substr(at_, end - at_);
        at_ = end;
        return std::string(field);
    }

    std::string readQuoted() {
        const size_t begin = at_++;
        std::string field;
        for (;;) {
            const size_t quote = text_.find('"', at_);
            if (quote == std::string_view::npos)
                refuse(begin, "a quote that is never closed");
            field += text_.substr(at_, quote - at_);
            at_ = quote + 1;
            if (at_ == text_.size() || text_[at_] != '"')
                return field;
            field += '"';
            ++at_;
        }
    }

    [[noreturn]] void refuse(size_t position, const char* rule) const {
        const auto line =
            std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(position), '\n');
        throw Error::fileFormat(file_, fmt::format("line {}", line + 1), rule);
    }

    std::string_view text_;
    const std::string& file_;
    size_t at_ = 0;
};

}  // namespace

std::vector<std::vector<std::string>> parseCsv(std::string_view text, const std::string& file) {
    const size_t valid = std::min(unicode::validPrefix(text), text.find('\0'));
    if (valid < text.size())
        throw Error::fileFormat(file, fmt::format("byte {}", valid), "no UTF-8 text");
    return CsvReader(text, file).read();
}

}  // namespace spd
