#pragma once

#include <QWidget>

#include "core/protocol/answers/token_texts.h"

class QLabel;
class QPlainTextEdit;
class QTimer;

namespace spd {

class NoticeLine;
class TableView;
class TextTokensModel;
class TokenView;

/// A text as the model's tokenizer cuts it: coloured tokens with their ids, and the same as a table with
/// offsets. It asks while one types. GUI thread.
class TryText : public QWidget {
    Q_OBJECT

public:
    explicit TryText(QWidget* parent = nullptr);

    QString text() const;
    void setAnswer(const protocol::TokenizedText& answer);
    void setFailure(const QString& message, const QStringList& details);
    /// Another model: asks again.
    void askAgain();

Q_SIGNALS:
    void tokenizeWanted(const QString& text);

private:
    void linkSelections();

    QPlainTextEdit* edit_;
    QLabel* summary_;
    NoticeLine* notice_;
    TokenView* view_;
    TextTokensModel* rows_;
    TableView* table_;
    QTimer* soon_;
};

}  // namespace spd
