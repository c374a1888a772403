#include "views/model/try/try_messages.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFontDatabase>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSplitter>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>
#include <algorithm>

#include "views/shared/colors.h"
#include "views/shared/icons.h"
#include "views/shared/notice/notice_line.h"
#include "views/shared/numbers.h"
#include "views/shared/theme.h"
#include "views/shared/token_view/token_values.h"
#include "views/shared/token_view/token_view.h"

namespace spd {

std::vector<std::pair<int, int>> textPositions(const QString& text,
                                               const std::vector<protocol::CharRange>& ranges) {
    std::vector<int> begins;  // of each character
    for (int i = 0; i < text.size(); ++i)
        if (!text[i].isLowSurrogate())
            begins.push_back(i);
    begins.push_back(static_cast<int>(text.size()));
    const auto at = [&](int64_t character) {
        return begins[static_cast<size_t>(std::clamp<int64_t>(character, 0, std::ssize(begins) - 1))];
    };
    std::vector<std::pair<int, int>> positions;
    for (const protocol::CharRange& range : ranges)
        positions.emplace_back(at(range.begin), at(range.end));
    return positions;
}

TryMessages::TryMessages(QWidget* parent)
    : QWidget(parent),
      area_(new QScrollArea),
      rows_(new QVBoxLayout),
      opening_(new QCheckBox(tr("open the assistant's turn"))),
      summary_(new QLabel),
      notice_(new NoticeLine),
      rendered_(new QPlainTextEdit),
      view_(new TokenView),
      soon_(new QTimer(this)) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, kGrid, 0, 0);
    layout->setSpacing(kGrid);
    layout->addWidget(makeMessages());
    layout->addWidget(summary_);
    layout->addWidget(notice_);
    layout->addWidget(makeAnswer(), 1);
    soon_->setSingleShot(true);
    soon_->setInterval(150);
    connect(soon_, &QTimer::timeout, this,
            [this] { Q_EMIT renderWanted(messages(), addsGenerationPrompt()); });
    connect(opening_, &QCheckBox::toggled, soon_, qOverload<>(&QTimer::start));
    addMessage(QStringLiteral("user"), tr("What is 48 + 7?"));
}

QWidget* TryMessages::makeMessages() {
    auto* list = new QWidget;
    rows_->setContentsMargins(0, 0, 0, 0);
    rows_->setSpacing(kGrid / 2);
    rows_->setAlignment(Qt::AlignTop);
    list->setLayout(rows_);
    area_->setWidget(list);
    area_->setWidgetResizable(true);
    area_->setFrameShape(QFrame::NoFrame);
    area_->setAccessibleName(tr("Messages"));
    auto* add = new QPushButton(tr("Add a message"));
    connect(add, &QPushButton::clicked, this, [this] {
        const bool after_user = rows_->count() % 2 == 1;
        addMessage(after_user ? QStringLiteral("assistant") : QStringLiteral("user"), {});
    });
    opening_->setChecked(true);
    opening_->setToolTip(
        tr("add_generation_prompt: the text ends where the assistant begins to answer. "
           "Default: on, as in spd generate --chat"));
    auto* row = new QHBoxLayout;
    row->addWidget(add);
    row->addWidget(opening_);
    row->addStretch();
    auto* widget = new QWidget;
    auto* layout = new QVBoxLayout(widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid / 2);
    layout->addWidget(area_);
    layout->addLayout(row);
    return widget;
}

QWidget* TryMessages::makeAnswer() {
    rendered_->setReadOnly(true);
    rendered_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    rendered_->setPlaceholderText(
        tr("The rendered template appears here, what came from messages underlined."));
    rendered_->setAccessibleName(tr("Rendered template"));
    view_->setIdsShown(true);
    view_->setPlaceholder(tr("The tokens of the rendered text: special tokens are boxed."));
    auto* both = new QSplitter(Qt::Horizontal);
    both->addWidget(rendered_);
    both->addWidget(view_);
    both->setChildrenCollapsible(false);
    both->setSizes({380, 440});
    return both;
}

void TryMessages::addMessage(const QString& role, const QString& content) {
    auto* row = new QWidget;
    auto* roles = new QComboBox;
    roles->setEditable(true);
    roles->addItems({QStringLiteral("system"), QStringLiteral("user"), QStringLiteral("assistant")});
    roles->setCurrentText(role);
    roles->setToolTip(tr("role: who speaks, as the template knows it"));
    roles->setAccessibleName(tr("Role"));
    auto* text = new QLineEdit(content);
    text->setPlaceholderText(tr("content"));
    text->setAccessibleName(tr("Content of the message"));
    auto* remove = new QToolButton;
    remove->setIcon(icon(QStringLiteral("remove")));
    remove->setToolTip(tr("Remove this message"));
    remove->setAccessibleName(tr("Remove this message"));
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(roles);
    layout->addWidget(text, 1);
    layout->addWidget(remove);
    rows_->addWidget(row);
    connect(roles, &QComboBox::currentTextChanged, soon_, qOverload<>(&QTimer::start));
    connect(text, &QLineEdit::textChanged, soon_, qOverload<>(&QTimer::start));
    connect(remove, &QToolButton::clicked, this, [this, row] {
        if (rows_->count() == 1)
            return;  // a template of no messages says nothing
        rows_->removeWidget(row);
        row->deleteLater();
        fitRows();
        soon_->start();
    });
    fitRows();
    soon_->start();
}

/// Three messages are seen; more scroll.
void TryMessages::fitRows() {
    const int seen = std::clamp(rows_->count(), 1, 3);
    area_->setFixedHeight(seen * (fontMetrics().height() + kInner + kGrid / 2));
}

nlohmann::ordered_json TryMessages::messages() const {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (int i = 0; i < rows_->count(); ++i) {
        const QWidget* row = rows_->itemAt(i)->widget();
        // An editable combo box holds a line edit of its own: the content's is the row's child.
        list.push_back(
            {{"role", row->findChild<QComboBox*>()->currentText().toStdString()},
             {"content", row->findChild<QLineEdit*>({}, Qt::FindDirectChildrenOnly)->text().toStdString()}});
    }
    return list;
}

bool TryMessages::addsGenerationPrompt() const {
    return opening_->isChecked();
}

void TryMessages::setAnswer(const protocol::RenderedMessages& answer) {
    notice_->clear();
    const QString text = QString::fromStdString(answer.text);
    rendered_->setPlainText(text);
    QList<QTextEdit::ExtraSelection> marks;
    for (const auto& [begin, end] : textPositions(text, answer.content)) {
        QTextEdit::ExtraSelection mark;
        mark.cursor = QTextCursor(rendered_->document());
        mark.cursor.setPosition(begin);
        mark.cursor.setPosition(end, QTextCursor::KeepAnchor);
        mark.format.setUnderlineStyle(QTextCharFormat::SingleUnderline);
        mark.format.setUnderlineColor(accentColor(palette()));
        mark.format.setForeground(accentColor(palette()));
        marks.push_back(mark);
    }
    rendered_->setExtraSelections(marks);
    view_->setTokens(shownTokens(answer.tokens));
    summary_->setText(tr("%1 tokens, %2 of them special \u2013 template from %3")
                          .arg(formatCount(std::ssize(answer.tokens.ids)),
                               formatCount(std::ssize(answer.tokens.special)),
                               QString::fromStdString(answer.origin)));
}

void TryMessages::setFailure(const QString& message, const QStringList& details) {
    rendered_->clear();
    view_->setTokens({});
    summary_->clear();
    notice_->say(message, details);
}

void TryMessages::askAgain() {
    soon_->start();
}

}  // namespace spd
