#pragma once

#include <QFontMetricsF>
#include <QString>
#include <cstdint>
#include <vector>

namespace spd {

/// A piece of a token that lies on one line.
struct TokenPiece {
    int token = 0;
    int line = 0;
    double x = 0;
    double width = 0;
    QString text;  ///< as drawn: a line end is shown as a mark
};

/// Where tokens lie that are written one after the other, wrapped at a width. A token is kept whole where it
/// fits on a line; line ends within it break the line. Linear in the text.
class TokenLayout {
public:
    /// @param texts  joined, they are the text.  @param width  of a line, device-independent pixels
    void set(const std::vector<QString>& texts, const QFontMetricsF& metrics, double width);
    /// Puts further tokens behind; the layout of the others stays.
    void append(const std::vector<QString>& texts, const QFontMetricsF& metrics);

    const std::vector<TokenPiece>& pieces() const { return pieces_; }
    int lineCount() const { return pieces_.empty() ? 0 : line_ + 1; }
    /// First piece of a line, for painting only what is seen. @return pieces().size() behind the last line
    size_t firstPiece(int line) const;
    /// @return -1 where no token is
    int tokenAt(int line, double x) const;
    int lineOf(int token) const;

private:
    double advance(const QString& text, const QFontMetricsF& metrics) const;
    void put(int token, QString text, const QFontMetricsF& metrics);
    void breakLine();

    std::vector<TokenPiece> pieces_;
    double mono_ = 0;  // width of a character; 0: the font is no mono font
    double width_ = 0;
    double x_ = 0;
    int line_ = 0;
    int tokens_ = 0;
};

}  // namespace spd
