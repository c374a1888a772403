#include "views/model/try/try_text.h"

#include <QHeaderView>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSplitter>
#include <QTimer>
#include <QVBoxLayout>

#include "views/model/try/text_tokens_model.h"
#include "views/shared/notice/notice_line.h"
#include "views/shared/numbers.h"
#include "views/shared/table/table_view.h"
#include "views/shared/theme.h"
#include "views/shared/token_view/token_values.h"
#include "views/shared/token_view/token_view.h"

namespace spd {

TryText::TryText(QWidget* parent)
    : QWidget(parent),
      edit_(new QPlainTextEdit(tr("Question: What is 48 + 7?\nAnswer: 55"))),
      summary_(new QLabel),
      notice_(new NoticeLine),
      view_(new TokenView),
      rows_(new TextTokensModel(this)),
      table_(new TableView(rows_, tr("Tokens with ids and offsets"))),
      soon_(new QTimer(this)) {
    edit_->setPlaceholderText(tr("Type or paste a text"));
    edit_->setAccessibleName(tr("Text to tokenise"));
    edit_->setToolTip(
        tr("Cut into tokens as the command line does: spd tokenize MODEL, with what the "
           "tokenizer's post-processor adds (BOS). At most 1 MiB"));
    edit_->setTabChangesFocus(true);
    edit_->setMaximumHeight(3 * fontMetrics().lineSpacing() + 2 * kGrid);
    view_->setIdsShown(true);
    view_->setPlaceholder(tr("Its tokens appear here: tints show where one ends and the next begins."));
    table_->horizontalHeader()->setSectionResizeMode(TextTokensModel::token, QHeaderView::Stretch);
    for (const int column :
         {TextTokensModel::position, TextTokensModel::id, TextTokensModel::from, TextTokensModel::to})
        table_->setColumnWidth(column, 8 * fontMetrics().averageCharWidth());
    auto* both = new QSplitter(Qt::Horizontal);
    both->addWidget(view_);
    both->addWidget(table_);
    both->setChildrenCollapsible(false);
    both->setSizes({480, 320});
    both->setStretchFactor(0, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, kGrid, 0, 0);
    layout->setSpacing(kGrid);
    layout->addWidget(edit_);
    layout->addWidget(summary_);
    layout->addWidget(notice_);
    layout->addWidget(both, 1);
    soon_->setSingleShot(true);
    soon_->setInterval(150);
    connect(soon_, &QTimer::timeout, this, [this] { Q_EMIT tokenizeWanted(text()); });
    connect(edit_, &QPlainTextEdit::textChanged, soon_, qOverload<>(&QTimer::start));
    linkSelections();
}

void TryText::linkSelections() {
    connect(view_, &TokenView::rangeSelected, this, [this](int, int last) { table_->setCurrentRow(last); });
    connect(view_, &TokenView::tokenHovered, this, [this](int token) {
        if (token >= 0)
            table_->setCurrentRow(token);
    });
    connect(table_, &TableView::rowCurrent, view_, [this](int row) {
        view_->setLinked(row);
        view_->scrollTo(row);
    });
}

QString TryText::text() const {
    return edit_->toPlainText();
}

void TryText::setAnswer(const protocol::TokenizedText& answer) {
    notice_->clear();
    view_->setTokens(shownTokens(answer.tokens, answer.ranges));
    rows_->setText(answer);
    const int64_t characters = answer.ranges.empty() ? 0 : answer.ranges.back().end;
    summary_->setText(tr("%1 tokens, %2 characters \u2013 %3")
                          .arg(formatCount(std::ssize(answer.tokens.ids)), formatCount(characters),
                               QString::fromStdString(answer.tokenizer)));
}

void TryText::setFailure(const QString& message, const QStringList& details) {
    notice_->say(message, details);
}

void TryText::askAgain() {
    soon_->start();
}

}  // namespace spd
