#include "views/preview/preview_pane.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSpinBox>
#include <QStandardItemModel>

#include "views/preview/token_strip.h"
#include "views/shared/numbers.h"
#include "views/shared/theme.h"
#include "views/shared/token_view/token_view.h"

namespace spd {

namespace {

ShownToken shownToken(const PreviewToken& token) {
    return {.text = token.text,
            .id = token.id,
            .note = PreviewPane::tr("-log p %1, entropy %2, KL to base %3\n%4")
                        .arg(formatNumber(-token.logprob), formatNumber(token.entropy),
                             formatNumber(token.kl_to_base), token.top)};
}

}  // namespace

PreviewPane::PreviewPane(QWidget* parent)
    : QWidget(parent),
      kind_(new QComboBox),
      rank_(new QSpinBox),
      strength_(new QDoubleSpinBox),
      active_(new QLabel),
      view_(new TokenView),
      strip_(new TokenStrip),
      end_(new QLabel) {
    kind_->addItems({tr("base"), tr("projection"), tr("adapter")});
    kind_->setToolTip(
        tr("base: the model as it is. projection: the layers and rank of the Subspace page. adapter: the "
           "run's"));
    kind_->setAccessibleName(tr("What the pane computes with"));
    rank_->setRange(0, 1'000'000);
    rank_->setSpecialValueText(tr("r as picked"));
    rank_->setToolTip(tr("Rank of the projection, directions; 0: as the Subspace page has picked. --rank"));
    strength_->setRange(-100, 100);
    strength_->setSingleStep(0.1);
    strength_->setValue(1);
    strength_->setPrefix(tr("a "));
    strength_->setToolTip(tr("Strength a of M = I - a (I - Q); default 1: the whole projection. --strength"));
    active_->setWordWrap(true);
    active_->setForegroundRole(QPalette::PlaceholderText);
    end_->setForegroundRole(QPalette::PlaceholderText);
    view_->setPlaceholder(tr("The completion appears here"));
    end_->setWordWrap(true);
    auto* row = new QHBoxLayout;
    row->addWidget(rank_, 1);
    row->addWidget(strength_, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid / 2);
    layout->addWidget(kind_);
    layout->addLayout(row);
    layout->addWidget(active_);
    layout->addWidget(view_, 1);
    layout->addWidget(strip_);
    layout->addWidget(end_);
    connect(kind_, &QComboBox::currentIndexChanged, this, [this] {
        showKind();
        Q_EMIT choiceChanged();
    });
    connect(rank_, &QSpinBox::valueChanged, this, &PreviewPane::choiceChanged);
    connect(strength_, &QDoubleSpinBox::valueChanged, this, &PreviewPane::choiceChanged);
    connect(view_, &TokenView::tokenHovered, this, &PreviewPane::tokenHovered);
    connect(strip_, &TokenStrip::tokenHovered, this, &PreviewPane::tokenHovered);
    showKind();
}

PaneChoice PreviewPane::choice() const {
    return {.kind = static_cast<PaneChoice::Kind>(kind_->currentIndex()),
            .rank = rank_->value(),
            .strength = strength_->value()};
}

void PreviewPane::setChoice(const PaneChoice& choice) {
    kind_->setCurrentIndex(static_cast<int>(choice.kind));
    rank_->setValue(static_cast<int>(choice.rank));
    strength_->setValue(choice.strength);
}

void PreviewPane::setOffered(bool projection, bool adapter) {
    auto* items = qobject_cast<QStandardItemModel*>(kind_->model());
    items->item(static_cast<int>(PaneChoice::Kind::projection))->setEnabled(projection);
    items->item(static_cast<int>(PaneChoice::Kind::adapter))->setEnabled(adapter);
}

void PreviewPane::showKind() {
    const bool is_projection = kind_->currentIndex() == static_cast<int>(PaneChoice::Kind::projection);
    rank_->setVisible(is_projection);
    strength_->setVisible(is_projection);
}

void PreviewPane::setValues(const PreviewPaneValues& values, std::optional<int> divergence) {
    active_->setText(values.intervention.isEmpty() ? QString() : tr("engine: %1").arg(values.intervention));
    if (values.tokens.size() < shown_ || shown_ == 0) {
        view_->setTokens({});
        shown_ = 0;
    }
    std::vector<ShownToken> fresh;
    for (size_t i = shown_; i < values.tokens.size(); ++i)
        fresh.push_back(shownToken(values.tokens[i]));
    shown_ = values.tokens.size();
    view_->append(std::move(fresh));
    view_->setDivergence(divergence);
    strip_->setTokens(values.tokens);
    end_->setText(summaryOf(values));
}

void PreviewPane::setLinked(int token) {
    view_->setLinked(token);
    strip_->setLinked(token);
}

}  // namespace spd
