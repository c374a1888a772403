#pragma once

#include <QDialog>
#include <nlohmann/json.hpp>

class QDialogButtonBox;
class QLabel;
class QLineEdit;
class QListWidget;
class QToolButton;

namespace spd {

/// Looks through the folders of the engine's machine, which may be another one: the dialog asks, and is
/// given, what lies in a folder. GUI thread.
class FolderChooser : public QDialog {
    Q_OBJECT

public:
    enum class Pick { folder, file };
    FolderChooser(const QString& title, Pick pick, QWidget* parent = nullptr);

    /// folder.list's answer.
    void setListing(const nlohmann::ordered_json& listing);
    /// Why a folder cannot be shown; what was shown stays.
    void setFailure(const QString& message);

Q_SIGNALS:
    /// @param path  empty: where one usually begins
    void listWanted(const QString& path);
    void chosen(const QString& path);

private:
    void enter(int row);
    void choose();
    QString pathOf(int row) const;
    void showChoice();

    Pick pick_;
    QString folder_;
    QString above_;  // empty: at the top
    QLineEdit* path_;
    QToolButton* up_;
    QListWidget* list_;
    QLabel* said_;
    QDialogButtonBox* buttons_;
};

}  // namespace spd
