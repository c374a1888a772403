#include "app/workbench/link/shell_words.h"

namespace spd {

namespace {

/// Reads the line character by character; one word at a time.
class Reader {
public:
    explicit Reader(const QString& line) : line_(line) {}

    std::optional<QStringList> words() {
        QStringList result;
        while (at_ < line_.size()) {
            if (line_[at_].isSpace()) {
                ++at_;
                continue;
            }
            QString word;
            if (!readWord(word))
                return {};
            result << word;
        }
        return result;
    }

private:
    bool readWord(QString& word) {
        while (at_ < line_.size() && !line_[at_].isSpace()) {
            const QChar c = line_[at_++];
            if (c == u'\'') {
                if (!readSingle(word))
                    return false;
            } else if (c == u'"') {
                if (!readDouble(word))
                    return false;
            } else if (c == u'\\') {
                if (at_ == line_.size())
                    return false;
                word += line_[at_++];
            } else {
                word += c;
            }
        }
        return true;
    }

    bool readSingle(QString& word) {
        const qsizetype end = line_.indexOf(u'\'', at_);
        if (end < 0)
            return false;
        word += line_.mid(at_, end - at_);
        at_ = end + 1;
        return true;
    }

    bool readDouble(QString& word) {
        while (at_ < line_.size()) {
            QChar c = line_[at_++];
            if (c == u'"')
                return true;
            if (c == u'\\' && at_ < line_.size() && QStringLiteral("\"\\$`").contains(line_[at_]))
                c = line_[at_++];
            word += c;
        }
        return false;
    }

    const QString& line_;
    qsizetype at_ = 0;
};

bool isPlain(const QString& word) {
    for (const QChar c : word)
        if (!c.isLetterOrNumber() && !QStringLiteral("_-./:=@%+,").contains(c))
            return false;
    return !word.isEmpty();
}

}  // namespace

std::optional<QStringList> shellWords(const QString& line) {
    return Reader(line).words();
}

QString shellLine(const QStringList& words) {
    QStringList quoted;
    for (const QString& word : words)
        quoted << (isPlain(word) ? word
                                 : u'\'' + QString(word).replace(u'\'', QStringLiteral("'\\''")) + u'\'');
    return quoted.join(u' ');
}

}  // namespace spd
