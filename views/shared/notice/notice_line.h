#pragma once

#include <QStringList>
#include <QWidget>

class QLabel;
class QPlainTextEdit;
class QToolButton;

namespace spd {

/// What went wrong, in one line beside a warning sign; details unfold below it and all of it can be copied.
/// Hidden while there is nothing to say. GUI thread.
class NoticeLine : public QWidget {
    Q_OBJECT

public:
    explicit NoticeLine(QWidget* parent = nullptr);

    void say(const QString& message, const QStringList& details = {});
    /// A command that helps, with a button that copies it alone.
    void showCommand(const QString& message, const QString& command);
    void clear();
    QString message() const;

private:
    void fill(const QString& message, const QString& details, const QString& copied);

    QLabel* sign_;
    QLabel* message_;
    QToolButton* fold_;
    QToolButton* copy_;
    QPlainTextEdit* details_;
    QString copied_;
};

}  // namespace spd
