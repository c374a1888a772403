#pragma once

#include <QWidget>

#include "views/subspace/picks/rank_choice.h"

class QButtonGroup;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QSpinBox;

namespace spd {

/// The rank rules as buttons with their numbers, and how many targets were set by hand. GUI thread.
class RankBar : public QWidget {
    Q_OBJECT

public:
    explicit RankBar(QWidget* parent = nullptr);

    /// @param width  w of the targets: the largest rank
    void setWidth(int64_t width);
    /// Shows it; emits nothing.
    void setChoice(const RankChoice& choice);

Q_SIGNALS:
    void choiceWanted(const spd::RankChoice& choice);

private:
    RankChoice shown() const;

    RankChoice choice_;
    QButtonGroup* rules_;
    QDoubleSpinBox* energy_;
    QSpinBox* fixed_;
    QLabel* half_;
    QPushButton* by_hand_;
};

}  // namespace spd
