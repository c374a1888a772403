#include "views/dialogs/folder_chooser.h"

#include <QDialogButtonBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QToolButton>

#include "views/shared/answers/fields.h"
#include "views/shared/numbers.h"
#include "views/shared/theme.h"

namespace spd {

namespace {

constexpr int kNameRole = Qt::UserRole;
constexpr int kFolderRole = Qt::UserRole + 1;

}  // namespace

FolderChooser::FolderChooser(const QString& title, Pick pick, QWidget* parent)
    : QDialog(parent),
      pick_(pick),
      path_(new QLineEdit),
      up_(new QToolButton),
      list_(new QListWidget),
      said_(new QLabel),
      buttons_(new QDialogButtonBox(QDialogButtonBox::Cancel)) {
    setWindowTitle(title);
    resize(560, 420);
    path_->setAccessibleName(tr("Folder on the engine's machine"));
    path_->setToolTip(tr("A folder on the engine's machine; Enter goes there"));
    up_->setText(tr("Up"));
    list_->setAccessibleName(tr("What lies in it"));
    said_->setWordWrap(true);
    QPushButton* choose_button = buttons_->addButton(tr("Choose"), QDialogButtonBox::AcceptRole);
    auto* row = new QHBoxLayout;
    row->addWidget(path_, 1);
    row->addWidget(up_);
    auto* layout = new QVBoxLayout(this);
    layout->setSpacing(kGrid);
    layout->addLayout(row);
    layout->addWidget(list_, 1);
    layout->addWidget(said_);
    layout->addWidget(buttons_);
    connect(path_, &QLineEdit::returnPressed, this, [this] { Q_EMIT listWanted(path_->text()); });
    connect(up_, &QToolButton::clicked, this, [this] { Q_EMIT listWanted(above_); });
    connect(list_, &QListWidget::itemActivated, this, [this] { enter(list_->currentRow()); });
    connect(list_, &QListWidget::currentRowChanged, this, &FolderChooser::showChoice);
    connect(choose_button, &QPushButton::clicked, this, &FolderChooser::choose);
    connect(buttons_, &QDialogButtonBox::rejected, this, &QDialog::reject);
    choose_button->setAutoDefault(false);
    showChoice();
}

void FolderChooser::setListing(const nlohmann::ordered_json& listing) {
    folder_ = textAt(listing, "path");
    above_ = textAt(listing, "parent");
    path_->setText(folder_);
    up_->setEnabled(!above_.isEmpty());
    list_->clear();
    const auto entries = listing.find("entries");
    for (size_t i = 0; entries != listing.end() && i < entries->size(); ++i) {
        const nlohmann::ordered_json& entry = (*entries)[i];
        const QString kind = textAt(entry, "kind");
        const bool is_folder = kind == QStringLiteral("folder");
        if (!is_folder && (pick_ == Pick::folder || kind != QStringLiteral("file")))
            continue;
        const bool is_usable = entry.value("usable", true);
        const QString name = textAt(entry, "name");
        const QString extra = is_folder ? (entry.value("checkpoint", false) ? tr("  model") : QString())
                                        : QStringLiteral("  %1").arg(formatBytes(entry.value("bytes", 0.0)));
        auto* item = new QListWidgetItem(is_folder ? name + u'/' + extra : name + extra, list_);
        item->setData(kNameRole, name);
        item->setData(kFolderRole, is_folder);
        if (!is_usable)
            item->setFlags(Qt::NoItemFlags);  // a name that is no UTF-8 cannot be sent back
    }
    said_->setText(listing.value("cut", false) ? tr("There is more in this folder than is shown.")
                                               : QString());
    showChoice();
}

void FolderChooser::setFailure(const QString& message) {
    said_->setText(message);
}

QString FolderChooser::pathOf(int row) const {
    const QString name = list_->item(row)->data(kNameRole).toString();
    return folder_.endsWith(u'/') ? folder_ + name : folder_ + u'/' + name;
}

void FolderChooser::enter(int row) {
    if (row < 0)
        return;
    if (list_->item(row)->data(kFolderRole).toBool())
        Q_EMIT listWanted(pathOf(row));
    else
        choose();
}

/// A folder is the picked one, or else the one that is shown.
void FolderChooser::choose() {
    const int row = list_->currentRow();
    Q_EMIT chosen(row >= 0 ? pathOf(row) : folder_);
    accept();
}

void FolderChooser::showChoice() {
    const int row = list_->currentRow();
    const bool fits = pick_ == Pick::folder ? !folder_.isEmpty()
                                            : row >= 0 && !list_->item(row)->data(kFolderRole).toBool();
    for (QAbstractButton* button : buttons_->buttons())
        if (buttons_->buttonRole(button) == QDialogButtonBox::AcceptRole)
            button->setEnabled(fits);
}

}  // namespace spd
