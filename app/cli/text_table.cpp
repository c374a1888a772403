#include "app/cli/text_table.h"

#include <utf8proc.h>

#include <algorithm>

namespace spd::cli {

namespace {

/// Columns of a terminal that the text takes; a byte that is no UTF-8 takes one.
size_t width(const std::string& text) {
    size_t columns = 0;
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
    for (size_t i = 0; i < text.size();) {
        utf8proc_int32_t code = 0;
        const auto used = utf8proc_iterate(bytes + i, static_cast<utf8proc_ssize_t>(text.size() - i), &code);
        columns += used > 0 ? static_cast<size_t>(utf8proc_charwidth(code)) : 1;
        i += used > 0 ? static_cast<size_t>(used) : 1;
    }
    return columns;
}

}  // namespace

void TextTable::addColumn(std::string heading, Align align) {
    headings_.push_back(std::move(heading));
    aligns_.push_back(align);
}

void TextTable::addRow(std::vector<std::string> cells) {
    cells.resize(headings_.size());
    rows_.push_back(std::move(cells));
}

std::string TextTable::text() const {
    std::vector<size_t> widths;
    for (const std::string& heading : headings_)
        widths.push_back(width(heading));
    for (const auto& row : rows_)
        for (size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], width(row[i]));
    std::string text;
    const auto add = [&](const std::vector<std::string>& row) {
        std::string line;
        for (size_t i = 0; i < row.size(); ++i) {
            const std::string blanks(widths[i] - width(row[i]), ' ');
            line += i > 0 ? "  " : "";
            line += aligns_[i] == Align::right ? blanks + row[i] : row[i] + blanks;
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    };
    add(headings_);
    for (const auto& row : rows_)
        add(row);
    return text;
}

}  // namespace spd::cli
