#include "views/log/log_model.h"

#include <QDateTime>
#include <iterator>

namespace spd {

void LogModel::append(std::vector<Line> lines) {
    if (lines.empty())
        return;
    if (lines.size() > kMaxLines)
        lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kMaxLines));
    const size_t all = lines_.size() + lines.size();
    if (all > kMaxLines) {
        const auto surplus = static_cast<std::ptrdiff_t>(all - kMaxLines);
        beginRemoveRows({}, 0, static_cast<int>(surplus) - 1);
        lines_.erase(lines_.begin(), lines_.begin() + surplus);
        endRemoveRows();
    }
    const int first = static_cast<int>(lines_.size());
    beginInsertRows({}, first, first + static_cast<int>(lines.size()) - 1);
    std::move(lines.begin(), lines.end(), std::back_inserter(lines_));
    endInsertRows();
}

void LogModel::clear() {
    beginResetModel();
    lines_.clear();
    endResetModel();
}

int LogModel::rowCount(const QModelIndex& parent) const {
    return parent.isValid() ? 0 : static_cast<int>(lines_.size());
}

QVariant LogModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid() || index.row() >= rowCount())
        return {};
    const Line& line = lines_[static_cast<size_t>(index.row())];
    if (role == kSourceRole)
        return line.source;
    if (role != Qt::DisplayRole)
        return {};
    const QString time = line.time == 0
                             ? QStringLiteral("        ")
                             : QDateTime::fromMSecsSinceEpoch(line.time).toString(QStringLiteral("HH:mm:ss"));
    return QStringLiteral("%1  %2  %3").arg(time, line.source, line.text);
}

}  // namespace spd
