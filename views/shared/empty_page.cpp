#include "views/shared/empty_page.h"

#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "views/shared/theme.h"

namespace spd {

namespace {

QLabel* paragraph(const QString& text) {
    auto* label = new QLabel(text);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    label->setMaximumWidth(560);
    return label;
}

}  // namespace

EmptyPage::EmptyPage(const Words& words, QWidget* parent)
    : QWidget(parent), first_step_(paragraph(words.first_step)), button_(new QPushButton(words.button)) {
    auto* title = new QLabel(words.title);
    QFont large = title->font();
    large.setPointSizeF(large.pointSizeF() * 1.6);
    large.setWeight(QFont::DemiBold);
    title->setFont(large);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(4 * kGrid, 4 * kGrid, 4 * kGrid, 4 * kGrid);
    layout->setSpacing(kInner);
    layout->addWidget(title);
    layout->addWidget(paragraph(words.purpose));
    layout->addWidget(first_step_);
    layout->addSpacing(kGrid);
    layout->addWidget(button_, 0, Qt::AlignLeft);
    layout->addStretch();
    button_->setMinimumHeight(4 * kGrid);
    button_->setVisible(!words.button.isEmpty());
    connect(button_, &QPushButton::clicked, this, &EmptyPage::clicked);
}

void EmptyPage::setFirstStep(const QString& text, const QString& button) {
    first_step_->setText(text);
    button_->setText(button);
    button_->setVisible(!button.isEmpty());
}

}  // namespace spd
