#pragma once

#include <QWidget>
#include <optional>

#include "core/protocol/job.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
class QSortFilterProxyModel;
class QStackedLayout;
class QTableView;
class QVBoxLayout;

namespace spd {

class CorpusModel;
class EmptyPage;
class Plot;
class SettingsForm;

/// Generate a corpus and read it while it grows. GUI thread.
class CorpusPage : public QWidget {
    Q_OBJECT

public:
    explicit CorpusPage(QWidget* parent = nullptr);

    /// Whether anything can be generated, with what is projected in words ("layers 11, 23, K and V, r 64").
    void setReady(bool ready, const QString& projection);
    /// The newest generation of the run; nothing: none. Another id begins a new table.
    void setJob(const std::optional<protocol::Job>& job);
    void setProgress(const protocol::JobProgress& progress);
    /// Lines of the corpus behind those that are shown. @return what was refused, in a sentence; empty
    QString addRecords(const std::vector<nlohmann::ordered_json>& records);
    int64_t shownRecords() const;
    /// Before all records come anew, in another order.
    void clearRecords();

    nlohmann::ordered_json settings() const;  ///< with "method"
    void setSettings(const nlohmann::ordered_json& values);
    QStringList differences() const;

Q_SIGNALS:
    /// The button of the empty page.
    void firstStepWanted();
    void settingsChanged();
    void generateWanted(const nlohmann::ordered_json& settings);
    void stopWanted(const std::string& job);
    void resumeWanted(const std::string& job);

private:
    QWidget* makeReading();
    QWidget* makeSide();
    void setMethod(const QString& method);
    void showCurrent();
    void showCharts();
    void showState();
    QString stateText() const;

    std::optional<protocol::Job> job_;
    std::optional<protocol::JobProgress> progress_;
    CorpusModel* model_;
    QSortFilterProxyModel* filtered_;

    QStackedLayout* stack_;
    EmptyPage* empty_;
    QTableView* table_;
    QLineEdit* search_;
    QPlainTextEdit* text_;
    QComboBox* method_;
    QLabel* projection_;
    SettingsForm* form_ = nullptr;
    QVBoxLayout* form_place_;
    Plot* lengths_;
    QLabel* statistics_;
    QLabel* state_;
    QPushButton* generate_;
    QPushButton* stop_;
};

}  // namespace spd
