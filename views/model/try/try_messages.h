#pragma once

#include <QWidget>
#include <nlohmann/json.hpp>

#include "core/protocol/answers/token_texts.h"

class QCheckBox;
class QLabel;
class QPlainTextEdit;
class QScrollArea;
class QTimer;
class QVBoxLayout;

namespace spd {

class NoticeLine;
class TokenView;

/// Messages as the model's chat template renders them, beside the tokens of that text. GUI thread.
class TryMessages : public QWidget {
    Q_OBJECT

public:
    explicit TryMessages(QWidget* parent = nullptr);

    /// [{"role", "content"}]
    nlohmann::ordered_json messages() const;
    bool addsGenerationPrompt() const;
    void addMessage(const QString& role, const QString& content);
    void setAnswer(const protocol::RenderedMessages& answer);
    void setFailure(const QString& message, const QStringList& details);
    /// Another model: asks again.
    void askAgain();

Q_SIGNALS:
    void renderWanted(const nlohmann::ordered_json& messages, bool add_generation_prompt);

private:
    QWidget* makeMessages();
    QWidget* makeAnswer();
    void fitRows();

    QScrollArea* area_;
    QVBoxLayout* rows_;
    QCheckBox* opening_;
    QLabel* summary_;
    NoticeLine* notice_;
    QPlainTextEdit* rendered_;
    TokenView* view_;
    QTimer* soon_;
};

/// Indices of UTF-16 units of `text` at characters (code points) `ranges`: what a QTextCursor takes.
std::vector<std::pair<int, int>> textPositions(const QString& text,
                                               const std::vector<protocol::CharRange>& ranges);

}  // namespace spd
