#pragma once

#include <QWidget>

#include "views/runs/run_rows.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSortFilterProxyModel;
class QStackedLayout;
class QTableView;

namespace spd {

class DifferencesModel;
class EmptyPage;
class Plot;
class RunsModel;

/// Every run of the workspace: find, compare, annotate, put away. GUI thread.
class RunsPage : public QWidget {
    Q_OBJECT

public:
    explicit RunsPage(QWidget* parent = nullptr);

    void setRuns(std::vector<RunRow> rows);
    /// No engine: the page says what to do.
    void clear();
    /// Answers about the runs that are selected; others are dropped. @param ids  that were asked about
    void setDifferences(const QStringList& ids, RunDifferences differences);
    /// @param key  whose curves were asked for
    void setCurves(const QStringList& ids, const QString& key, const nlohmann::ordered_json& metrics);
    QStringList selectedRuns() const;

Q_SIGNALS:
    /// The button of the empty page.
    void firstStepWanted();
    void refreshWanted(bool deleted);
    void comparisonWanted(const QStringList& ids);  ///< two or more
    /// One run or more. @param key  whose curves; empty: train/loss, and which keys there are
    void curvesWanted(const QStringList& ids, const QString& key);
    void tagWanted(const QString& id, const QString& key, const QString& value);
    void noteWanted(const QString& id, const QString& text);
    void deleteWanted(const QString& id);
    void restoreWanted(const QString& id);

private:
    QWidget* makeTable();
    QWidget* makeActions();
    void wire();
    void onSelection();
    void showKey();
    void askTag();
    void askNote();
    std::optional<RunRow> current() const;

    RunsModel* model_;
    QSortFilterProxyModel* filtered_;
    DifferencesModel* differences_;
    nlohmann::ordered_json metrics_;

    QStackedLayout* stack_;
    EmptyPage* empty_;
    QLineEdit* search_;
    QPushButton* trash_;
    QTableView* table_;
    QTableView* differences_table_;
    QLabel* hint_;
    QComboBox* key_;
    Plot* curves_;
    QPushButton* tag_;
    QPushButton* note_;
    QPushButton* remove_;
};

}  // namespace spd
