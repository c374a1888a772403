#include "views/subspace/rank_bar.h"

#include <QButtonGroup>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QRadioButton>
#include <QSignalBlocker>
#include <QSpinBox>

#include "views/shared/theme.h"

namespace spd {

RankBar::RankBar(QWidget* parent)
    : QWidget(parent),
      rules_(new QButtonGroup(this)),
      energy_(new QDoubleSpinBox),
      fixed_(new QSpinBox),
      half_(new QLabel),
      by_hand_(new QPushButton) {
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    layout->addWidget(new QLabel(tr("rank")));
    const auto add = [&](RankChoice::Rule rule, const QString& text, const QString& tip, QWidget* beside) {
        auto* button = new QRadioButton(text);
        button->setToolTip(tip);
        rules_->addButton(button, static_cast<int>(rule));
        layout->addWidget(button);
        if (beside != nullptr)
            layout->addWidget(beside);
    };
    add(RankChoice::Rule::half_dim, tr("half"),
        tr("r = floor(d / 2) directions. The default (paper, Table 7). --rank-rule half_dim"), half_);
    add(RankChoice::Rule::energy, tr("energy"),
        tr("The smallest r that keeps this share of the sum of squares. --rank-rule energy:T"), energy_);
    add(RankChoice::Rule::half_numeric, tr("numeric / 2"),
        tr("Half of the numeric rank, the number of s >= 1e-6 s1. --rank-rule half_numeric"), nullptr);
    add(RankChoice::Rule::fixed, tr("fixed"), tr("The same r for every layer, K and V. --rank R"), fixed_);
    layout->addStretch(1);
    layout->addWidget(by_hand_);
    energy_->setRange(0.01, 1);
    energy_->setDecimals(4);
    energy_->setSingleStep(0.01);
    energy_->setAccessibleName(tr("Kept energy"));
    fixed_->setAccessibleName(tr("Fixed rank"));
    by_hand_->setToolTip(tr("Ranks that were edited in the table go back to the rule"));
    connect(rules_, &QButtonGroup::idClicked, this, [this] { Q_EMIT choiceWanted(shown()); });
    connect(energy_, &QDoubleSpinBox::valueChanged, this, [this] {
        rules_->button(static_cast<int>(RankChoice::Rule::energy))->setChecked(true);
        Q_EMIT choiceWanted(shown());
    });
    connect(fixed_, &QSpinBox::valueChanged, this, [this] {
        rules_->button(static_cast<int>(RankChoice::Rule::fixed))->setChecked(true);
        Q_EMIT choiceWanted(shown());
    });
    connect(by_hand_, &QPushButton::clicked, this, [this] {
        RankChoice choice = shown();
        choice.by_hand.clear();
        Q_EMIT choiceWanted(choice);
    });
    setWidth(2);
    setChoice({});
}

void RankBar::setWidth(int64_t width) {
    const QSignalBlocker quiet(fixed_);
    fixed_->setRange(1, static_cast<int>(width));
    half_->setText(QString::number(std::max<int64_t>(1, width / 2)));
}

void RankBar::setChoice(const RankChoice& choice) {
    choice_ = choice;
    const QSignalBlocker quiet_energy(energy_);
    const QSignalBlocker quiet_fixed(fixed_);
    rules_->button(static_cast<int>(choice.rule))->setChecked(true);
    energy_->setValue(choice.energy);
    if (choice.fixed > 0)
        fixed_->setValue(static_cast<int>(choice.fixed));
    by_hand_->setVisible(!choice.by_hand.empty());
    by_hand_->setText(tr("Undo ranks set by hand: %1").arg(choice.by_hand.size()));
}

RankChoice RankBar::shown() const {
    RankChoice choice = choice_;
    choice.rule = static_cast<RankChoice::Rule>(rules_->checkedId());
    choice.energy = energy_->value();
    choice.fixed = fixed_->value();
    return choice;
}

}  // namespace spd
