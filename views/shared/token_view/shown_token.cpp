#include "views/shared/token_view/shown_token.h"

#include <QCoreApplication>

namespace spd {

namespace {

constexpr char16_t kDot = u'\u00b7';
constexpr char16_t kLineEnd = u'\u21b5';
constexpr char16_t kTab = u'\u21e5';
constexpr char16_t kReturn = u'\u2190';  // fonts that have U+240D are few
constexpr char16_t kHardSpace = u'\u237d';
constexpr char16_t kPartOfCharacter = u'\u25cc';  // dotted circle

QChar readable(QChar character) {
    switch (character.unicode()) {
        case u'\n':
            return kLineEnd;
        case u'\t':
            return kTab;
        case u'\r':
            return kReturn;
        case u'\u00a0':
            return kHardSpace;
        case u'\u200b':  // zero width space and marks that turn the direction of the text around it
        case u'\u200e':
        case u'\u200f':
        case u'\u202a':
        case u'\u202b':
        case u'\u202c':
        case u'\u202d':
        case u'\u202e':
        case u'\u2066':
        case u'\u2067':
        case u'\u2068':
        case u'\u2069':
        case u'\u2028':
        case u'\u2029':
        case u'\ufeff':
            return kPartOfCharacter;
        default:
            break;
    }
    if (character.unicode() < 0x20)
        return QChar(static_cast<char16_t>(0x2400 + character.unicode()));
    return character.unicode() == 0x7f ? QChar(u'\u2421') : character;
}

bool hasBlankNeighbour(const QString& text, qsizetype at) {
    return (at > 0 && text[at - 1].isSpace()) || (at + 1 < text.size() && text[at + 1].isSpace());
}

}  // namespace

QString readableText(const QString& text) {
    if (text.isEmpty())
        return QString(QChar(kPartOfCharacter));
    QString result = text;
    const bool only_spaces = text.trimmed().isEmpty();
    for (qsizetype i = 0; i < text.size(); ++i) {
        if (text[i] == u' ')
            result[i] = only_spaces || hasBlankNeighbour(text, i) ? QChar(kDot) : text[i];
        else
            result[i] = readable(text[i]);
    }
    return result;
}

QString describeToken(int index, const ShownToken& token) {
    QString text = QCoreApplication::translate("TokenView", "token %1, id %2, \u201c%3\u201d")
                       .arg(index)
                       .arg(token.id)
                       .arg(readableText(token.text));
    if (token.special)
        text += QCoreApplication::translate("TokenView", " (special)");
    else if (token.text.isEmpty())
        text += QCoreApplication::translate("TokenView", " (bytes of a character that a later token ends)");
    return token.note.isEmpty() ? text : text + QStringLiteral("\n") + token.note;
}

}  // namespace spd
