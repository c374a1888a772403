#pragma once

#include <QDialog>
#include <QStringList>
#include <functional>

class QComboBox;
class QLabel;
class QPushButton;

namespace spd {

/// Which engine: a command line that leads to one. What was used before is offered.
class ConnectDialog : public QDialog {
    Q_OBJECT

public:
    /// @param local  the command of this machine's engine.  @param recent  newest first
    /// @param check  says what is wrong with a command line; empty: nothing
    ConnectDialog(const QString& current, const QString& local, const QStringList& recent,
                  std::function<QString(const QString&)> check, QWidget* parent);

    QString commandLine() const;

private:
    void showProblem();

    std::function<QString(const QString&)> check_;
    QComboBox* line_;
    QLabel* problem_;
    QPushButton* connect_;
};

}  // namespace spd
