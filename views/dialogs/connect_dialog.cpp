#include "views/dialogs/connect_dialog.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFontDatabase>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "views/shared/theme.h"

namespace spd {

namespace {

QLabel* words(const QString& text) {
    auto* label = new QLabel(text);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    return label;
}

}  // namespace

ConnectDialog::ConnectDialog(const QString& current, const QString& local, const QStringList& recent,
                             std::function<QString(const QString&)> check, QWidget* parent)
    : QDialog(parent), check_(std::move(check)), line_(new QComboBox), problem_(words({})) {
    setWindowTitle(tr("Connect to an engine"));
    line_->setEditable(true);
    line_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    QStringList offered = recent;
    offered.removeAll(local);
    offered.prepend(local);
    line_->addItems(offered);
    line_->setEditText(current);
    line_->setAccessibleName(tr("Command that leads to the engine"));
    problem_->setForegroundRole(QPalette::PlaceholderText);

    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
    connect_ = buttons->addButton(tr("Connect"), QDialogButtonBox::AcceptRole);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(line_, &QComboBox::editTextChanged, this, &ConnectDialog::showProblem);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(2 * kGrid, 2 * kGrid, 2 * kGrid, 2 * kGrid);
    layout->setSpacing(kInner);
    layout->addWidget(words(tr("The command that leads to an engine. Here:")));
    layout->addWidget(line_);
    layout->addWidget(
        words(tr("On another machine: <tt>ssh HOST spd-attach --workspace DIR</tt> (with a key, as it cannot "
                 "ask for a password). The engine you leave goes on with its jobs.")));
    layout->addWidget(problem_);
    layout->addStretch();
    layout->addWidget(buttons);
    resize(76 * kGrid, 23 * kGrid);
    showProblem();
}

QString ConnectDialog::commandLine() const {
    return line_->currentText().trimmed();
}

void ConnectDialog::showProblem() {
    const QString problem = check_(commandLine());
    problem_->setText(problem);
    connect_->setEnabled(problem.isEmpty());
}

}  // namespace spd
