#pragma once

#include <QDialog>
#include <QList>

class QAction;
class QLineEdit;
class QListWidget;

namespace spd {

/// All commands of the window by name: a few letters find one, Enter does it.
class CommandPalette : public QDialog {
    Q_OBJECT

public:
    /// @param actions  must outlive this; those without a text are left out.
    CommandPalette(const QList<QAction*>& actions, QWidget* parent);

    /// Whether a command of this name is found by these letters: each of their words stands in it.
    static bool matches(const QString& name, const QString& letters);
    void setLetters(const QString& letters);
    /// The names that are shown, best first.
    QStringList shown() const;

protected:
    void paintEvent(QPaintEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void fill();
    void run();
    bool eventFilter(QObject* watched, QEvent* event) override;

    QList<QAction*> actions_;
    QLineEdit* letters_;
    QListWidget* list_;
};

/// "Engine > Connect..." without mnemonics.
QString commandName(const QAction& action);

}  // namespace spd
