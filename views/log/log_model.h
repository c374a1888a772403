#pragma once

#include <QAbstractListModel>
#include <QString>
#include <cstdint>
#include <deque>
#include <vector>

namespace spd {

/// The last 10,000 lines that the engine and its jobs said.
class LogModel : public QAbstractListModel {
    Q_OBJECT

public:
    static constexpr size_t kMaxLines = 10'000;

    struct Line {
        int64_t time = 0;  ///< milliseconds since 1970 in UTC; 0: unknown
        QString source;    ///< a job's title, or "engine", "window"
        QString text;
    };
    enum Role { kSourceRole = Qt::UserRole };
    using QAbstractListModel::QAbstractListModel;

    /// Appends them; the oldest make room. Of more than 10,000 at once only the last are kept.
    void append(std::vector<Line> lines);
    void clear();
    const std::deque<Line>& lines() const { return lines_; }

    int rowCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;

private:
    std::deque<Line> lines_;
};

}  // namespace spd
