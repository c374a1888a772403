#pragma once

#include <QWidget>
#include <vector>

#include "views/preview/preview_pane.h"

class QComboBox;
class QHBoxLayout;
class QLabel;
class QPlainTextEdit;
class QPushButton;
class QSpinBox;
class QDoubleSpinBox;
class QStackedLayout;

namespace spd {

class EmptyPage;

/// One prompt, two to four completions side by side from the same noise. GUI thread.
class PreviewPage : public QWidget {
    Q_OBJECT

public:
    explicit PreviewPage(QWidget* parent = nullptr);

    /// What can be previewed: without a model the page says what to do.
    void setOffered(bool model, bool projection, bool adapter);
    std::vector<PaneChoice> choices() const;
    /// prompt, chat, temperature, top_k, top_p, greedy, max_new_tokens, seed: as the job takes them.
    nlohmann::ordered_json settings() const;
    void setPrompt(const QString& text);

    void begin();                                     ///< a run was queued: empties the panes
    void take(const nlohmann::ordered_json& output);  ///< a list of items of the job's output
    void end(const QString& message);                 ///< empty: well
    const PreviewValues& values() const { return values_; }

Q_SIGNALS:
    void firstStepWanted();  ///< the button of the empty page
    void runWanted();
    void stopWanted();

private:
    QWidget* makeTop();
    void setPaneCount(size_t count);
    void usePreset(int index);
    void showPanes();
    void showRun();

    PreviewValues values_;
    bool running_ = false;

    QStackedLayout* stack_;
    EmptyPage* empty_;
    QPlainTextEdit* prompt_;
    QComboBox* format_;
    QComboBox* preset_;
    QDoubleSpinBox* temperature_;
    QSpinBox* most_;
    QSpinBox* seed_;
    QPushButton* run_;
    QPushButton* stop_;
    QPushButton* more_;
    QPushButton* fewer_;
    QLabel* said_;
    QHBoxLayout* pane_row_;
    std::vector<PreviewPane*> panes_;
    bool has_projection_ = false;
    bool has_adapter_ = false;
};

}  // namespace spd
