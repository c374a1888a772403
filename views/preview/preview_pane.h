#pragma once

#include <QWidget>

#include "views/preview/preview_values.h"

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QSpinBox;

namespace spd {

class TokenStrip;
class TokenView;

/// What a pane is asked to compute with.
struct PaneChoice {
    enum class Kind { base, projection, adapter };
    Kind kind = Kind::base;
    int64_t rank = 0;  ///< of a projection; 0: as the Subspace page has picked
    double strength = 1;

    bool operator==(const PaneChoice&) const = default;
};

/// One completion: what is asked for, what the engine says is active, the tokens, how sure the model was. GUI
/// thread.
class PreviewPane : public QWidget {
    Q_OBJECT

public:
    explicit PreviewPane(QWidget* parent = nullptr);

    PaneChoice choice() const;
    void setChoice(const PaneChoice& choice);
    /// What can be chosen now.
    void setOffered(bool projection, bool adapter);
    /// @param divergence  first token that differs from the first pane's; nothing: none, or this is the first
    void setValues(const PreviewPaneValues& values, std::optional<int> divergence);
    void setLinked(int token);

Q_SIGNALS:
    void choiceChanged();
    void tokenHovered(int token);  ///< -1: none

private:
    void showKind();

    QComboBox* kind_;
    QSpinBox* rank_;
    QDoubleSpinBox* strength_;
    QLabel* active_;
    TokenView* view_;
    TokenStrip* strip_;
    QLabel* end_;
    size_t shown_ = 0;  // tokens
};

}  // namespace spd
