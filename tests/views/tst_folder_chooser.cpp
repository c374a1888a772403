// Looking through folders that only the engine sees: what is listed, entered, refused and chosen.

#include <QDialogButtonBox>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include "views/dialogs/folder_chooser.h"

using namespace spd;
using nlohmann::ordered_json;

namespace {

ordered_json listing() {
    return {
        {"path", "/data"},
        {"parent", "/"},
        {"cut", true},
        {"entries",
         {{{"name", "model"}, {"kind", "folder"}, {"bytes", 0}, {"checkpoint", true}, {"usable", true}},
          {{"name", "bad\\xff"}, {"kind", "folder"}, {"bytes", 0}, {"checkpoint", false}, {"usable", false}},
          {{"name", "lines.jsonl"},
           {"kind", "file"},
           {"bytes", 4096},
           {"checkpoint", false},
           {"usable", true}},
          {{"name", "socket"}, {"kind", "other"}, {"bytes", 0}, {"checkpoint", false}, {"usable", true}}}}};
}

QPushButton* chooseButton(FolderChooser& dialog) {
    for (auto* button : dialog.findChildren<QPushButton*>())
        if (button->text() == QStringLiteral("Choose"))
            return button;
    return nullptr;
}

}  // namespace

class tst_FolderChooser : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aFolderIsEnteredOrChosen() {
        FolderChooser dialog(QStringLiteral("t"), FolderChooser::Pick::folder);
        QSignalSpy asked(&dialog, &FolderChooser::listWanted), chosen(&dialog, &FolderChooser::chosen);
        QVERIFY(!chooseButton(dialog)->isEnabled());
        dialog.setListing(listing());
        auto* list = dialog.findChild<QListWidget*>();
        QCOMPARE(list->count(), 2);
        QVERIFY(!(list->item(1)->flags() & Qt::ItemIsEnabled));
        list->setCurrentRow(0);
        Q_EMIT list->itemActivated(list->item(0));
        QCOMPARE(asked.back().front().toString(), QStringLiteral("/data/model"));
        dialog.setFailure(QStringLiteral("no permission"));
        QCOMPARE(list->count(), 2);  // what was shown stays
        chooseButton(dialog)->click();
        QCOMPARE(chosen.front().front().toString(), QStringLiteral("/data/model"));
    }

    void theShownFolderIsChosenWithoutARow() {
        FolderChooser dialog(QStringLiteral("t"), FolderChooser::Pick::folder);
        QSignalSpy chosen(&dialog, &FolderChooser::chosen);
        dialog.setListing({{"path", "/"}, {"parent", nullptr}, {"entries", ordered_json::array()}});
        chooseButton(dialog)->click();
        QCOMPARE(chosen.front().front().toString(), QStringLiteral("/"));
    }

    void onlyAFileIsChosenWhereOneIsWanted() {
        FolderChooser dialog(QStringLiteral("t"), FolderChooser::Pick::file);
        QSignalSpy chosen(&dialog, &FolderChooser::chosen);
        dialog.setListing(listing());
        auto* list = dialog.findChild<QListWidget*>();
        QCOMPARE(list->count(), 3);
        list->setCurrentRow(0);
        QVERIFY(!chooseButton(dialog)->isEnabled());
        list->setCurrentRow(2);
        chooseButton(dialog)->click();
        QCOMPARE(chosen.front().front().toString(), QStringLiteral("/data/lines.jsonl"));
    }
};

QTEST_MAIN(tst_FolderChooser)
#include "tst_folder_chooser.moc"
