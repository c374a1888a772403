#pragma once

#include <QString>
#include <QStringList>
#include <optional>

namespace spd {

/// A command line as a shell would cut it: blanks separate, '...' is literal, "..." knows \" \\ \$ \`, a
/// backslash takes the next character as it is. Nothing is expanded; for that, write sh -c '...'.
/// @return nothing when a quote is not closed or the line ends in a backslash
std::optional<QStringList> shellWords(const QString& line);

/// The other way: words with blanks or quotes in '...'.
QString shellLine(const QStringList& words);

}  // namespace spd
