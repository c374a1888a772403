#pragma once

#include <QWidget>
#include <map>
#include <vector>

#include "views/shared/form/field.h"

class QFormLayout;
class QLabel;
class QToolButton;

namespace spd {

/// Settings of a stage, one a line: those that are not at their default are bold and have a button that puts
/// them back; a value that is not allowed says why beneath the form. GUI thread.
class SettingsForm : public QWidget {
    Q_OBJECT

public:
    explicit SettingsForm(std::vector<Field> fields, QWidget* parent = nullptr);

    const std::vector<Field>& fields() const { return fields_; }
    /// All values; a number that was typed wrongly is null.
    nlohmann::ordered_json values() const;
    /// Shows them; keys that are missing go to their default, others are ignored. Emits changed() once.
    void setValues(const nlohmann::ordered_json& values);
    /// The first thing that is wrong; empty when all may be used.
    QString problem() const;

Q_SIGNALS:
    void changed();

private:
    struct Row {
        QLabel* label;
        QWidget* editor;
        QToolButton* reset;
    };
    QWidget* makeEditor(const Field& field);
    void addRow(const Field& field, QFormLayout* layout);
    nlohmann::ordered_json valueOf(const Field& field) const;
    void show(const Field& field, const nlohmann::ordered_json& value);
    void onEdited();
    void mark();

    std::vector<Field> fields_;
    std::map<std::string, Row> rows_;
    QWidget* advanced_ = nullptr;
    QLabel* problem_;
    bool quiet_ = false;
};

}  // namespace spd
