#pragma once

#include <QWidget>
#include <optional>

#include "core/protocol/job.h"
#include "views/training/training_curves.h"

class QLabel;
class QPushButton;
class QStackedLayout;

namespace spd {

class EmptyPage;
class SettingsForm;
class TrainingPlots;

/// Settings, live curves, stop and resume of an adapter's training. GUI thread.
class TrainingPage : public QWidget {
    Q_OBJECT

public:
    explicit TrainingPage(QWidget* parent = nullptr);

    /// What can be trained on; empty: nothing yet, the page says what to do first.
    /// @param words  "128 completions, 21 034 tokens"   @param command  "spd train MODEL --corpus C --out
    /// DIR"
    void setCorpus(const QString& words, const QString& command);
    /// The newest training of the run; nothing: none. A job of another id begins new curves.
    void setJob(const std::optional<protocol::Job>& job);
    void setProgress(const protocol::JobProgress& progress);
    void addPoints(const std::vector<TrainingPoint>& points);

    nlohmann::ordered_json settings() const;
    void setSettings(const nlohmann::ordered_json& values);
    /// "lr 0.0002" for each setting that is not at its default: for the run card.
    QStringList differences() const;

Q_SIGNALS:
    /// The button of the empty page.
    void firstStepWanted();
    void settingsChanged();
    void trainWanted(const nlohmann::ordered_json& settings);
    void stopWanted(const std::string& job);
    void resumeWanted(const std::string& job);

private:
    QWidget* makeSide();
    void showState();
    QString stateText() const;
    void copyCommand() const;

    std::optional<protocol::Job> job_;
    std::optional<protocol::JobProgress> progress_;
    QString command_;

    QStackedLayout* stack_;
    EmptyPage* empty_;
    TrainingPlots* plots_;
    SettingsForm* form_;
    QLabel* corpus_;
    QLabel* state_;
    QPushButton* train_;
    QPushButton* stop_;
    QPushButton* copy_;
};

}  // namespace spd
