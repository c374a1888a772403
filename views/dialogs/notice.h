#pragma once

#include <QWidget>
#include <functional>

class QLabel;
class QPushButton;

namespace spd {

/// A line above the page: what happened, what it means, and a button for what to do. Hidden until it says
/// something; what is said later takes its place (the log keeps both).
class Notice : public QWidget {
    Q_OBJECT

public:
    explicit Notice(QWidget* parent = nullptr);

    /// An empty text hides it. @param button  a verb; empty: no button
    void say(const QString& text, const QString& button = {}, std::function<void()> action = {});
    QString text() const;

private:
    QLabel* text_;
    QPushButton* button_;
    std::function<void()> action_;
};

}  // namespace spd
