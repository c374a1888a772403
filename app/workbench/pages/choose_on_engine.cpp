#include "app/workbench/pages/connect_pages.h"
#include "app/workbench/workbench.h"
#include "views/dialogs/folder_chooser.h"

namespace spd {

void chooseOnEngine(Workbench& workbench, QWidget* parent, const QString& title, bool file,
                    std::function<void(const QString&)> on_chosen) {
    auto* dialog =
        new FolderChooser(title, file ? FolderChooser::Pick::file : FolderChooser::Pick::folder, parent);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    QObject::connect(dialog, &FolderChooser::listWanted, dialog, [&workbench, dialog](const QString& path) {
        nlohmann::ordered_json params = nlohmann::ordered_json::object();
        if (!path.isEmpty())
            params["path"] = path.toStdString();
        workbench.client().request(
            QStringLiteral("folder.list"), params, dialog,
            [dialog](const nlohmann::ordered_json& listing) { dialog->setListing(listing); },
            [dialog](const protocol::Failure& failure) {
                dialog->setFailure(QString::fromStdString(failure.message));
            });
    });
    QObject::connect(dialog, &FolderChooser::chosen, parent, std::move(on_chosen));
    dialog->open();
    Q_EMIT dialog->listWanted({});
}

}  // namespace spd
