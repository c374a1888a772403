#pragma once

#include <string>
#include <vector>

namespace spd::cli {

/// Rows of texts under a line of headings, each column as wide as its widest cell in terminal cells (not in
/// bytes), two blanks apart, without blanks at the ends of lines.
class TextTable {
public:
    enum class Align { left, right };

    void addColumn(std::string heading, Align align = Align::left);
    /// Cells of fewer columns are filled up with empty ones.
    void addRow(std::vector<std::string> cells);

    bool empty() const { return rows_.empty(); }
    /// Lines with their ends; the headings alone where there are no rows.
    std::string text() const;

private:
    std::vector<Align> aligns_;
    std::vector<std::string> headings_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace spd::cli
