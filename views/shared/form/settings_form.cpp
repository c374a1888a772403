#include "views/shared/form/settings_form.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QToolButton>

#include "views/shared/theme.h"

namespace spd {

using nlohmann::ordered_json;

namespace {

QFormLayout* formLayout() {
    auto* layout = new QFormLayout;
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setHorizontalSpacing(kGrid);
    layout->setVerticalSpacing(kGrid / 2);
    layout->setLabelAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    return layout;
}

}  // namespace

SettingsForm::SettingsForm(std::vector<Field> fields, QWidget* parent)
    : QWidget(parent), fields_(std::move(fields)), problem_(new QLabel) {
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(kGrid);
    QFormLayout* usual = formLayout();
    QFormLayout* rare = formLayout();
    bool has_rare = false;
    for (const Field& field : fields_) {
        addRow(field, field.advanced ? rare : usual);
        has_rare = has_rare || field.advanced;
    }
    layout->addLayout(usual);
    advanced_ = new QWidget;
    advanced_->setLayout(rare);
    advanced_->hide();
    if (has_rare) {
        auto* more = new QToolButton;
        more->setText(tr("More settings"));
        more->setCheckable(true);
        more->setAutoRaise(true);
        more->setArrowType(Qt::RightArrow);
        more->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        connect(more, &QToolButton::toggled, this, [this, more](bool on) {
            advanced_->setVisible(on);
            more->setArrowType(on ? Qt::DownArrow : Qt::RightArrow);
        });
        layout->addWidget(more);
    }
    layout->addWidget(advanced_);
    problem_->setWordWrap(true);
    problem_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    problem_->hide();
    layout->addWidget(problem_);
    layout->addStretch(1);
    setValues(defaultsOf(fields_));
}

QWidget* SettingsForm::makeEditor(const Field& field) {
    switch (field.kind) {
        case Field::Kind::choice: {
            auto* box = new QComboBox;
            box->addItems(field.choices);
            connect(box, &QComboBox::currentIndexChanged, this, &SettingsForm::onEdited);
            return box;
        }
        case Field::Kind::flag: {
            auto* box = new QCheckBox;
            connect(box, &QCheckBox::toggled, this, &SettingsForm::onEdited);
            return box;
        }
        default: {
            auto* line = new QLineEdit;
            if (field.kind != Field::Kind::text)
                line->setAlignment(Qt::AlignRight);
            connect(line, &QLineEdit::textChanged, this, &SettingsForm::onEdited);
            return line;
        }
    }
}

void SettingsForm::addRow(const Field& field, QFormLayout* layout) {
    Row row{.label = new QLabel(field.label), .editor = makeEditor(field), .reset = new QToolButton};
    row.editor->setToolTip(tooltipOf(field));
    row.editor->setAccessibleName(field.label);
    row.editor->setAccessibleDescription(field.what);
    row.label->setToolTip(tooltipOf(field));
    row.label->setBuddy(row.editor);
    row.reset->setText(QStringLiteral("\u21BA"));
    row.reset->setAutoRaise(true);
    row.reset->setToolTip(tr("Back to %1").arg(textOf(field.default_value)));
    row.reset->setAccessibleName(tr("Reset %1").arg(field.label));
    QSizePolicy keeps_place = row.reset->sizePolicy();
    keeps_place.setRetainSizeWhenHidden(true);
    row.reset->setSizePolicy(keeps_place);
    connect(row.reset, &QToolButton::clicked, this, [this, key = field.key] {
        for (const Field& one : fields_)
            if (one.key == key)
                show(one, one.default_value);
    });
    auto* line = new QHBoxLayout;
    line->setSpacing(0);
    line->addWidget(row.editor, 1);
    line->addWidget(row.reset);
    layout->addRow(row.label, line);
    rows_[field.key] = row;
}

ordered_json SettingsForm::valueOf(const Field& field) const {
    QWidget* editor = rows_.at(field.key).editor;
    if (const auto* box = qobject_cast<QComboBox*>(editor))
        return box->currentText().toStdString();
    if (const auto* box = qobject_cast<QCheckBox*>(editor))
        return box->isChecked();
    const QString text = qobject_cast<QLineEdit*>(editor)->text();
    return field.kind == Field::Kind::text ? ordered_json(text.toStdString()) : numberFrom(text, field.kind);
}

void SettingsForm::show(const Field& field, const ordered_json& value) {
    QWidget* editor = rows_.at(field.key).editor;
    if (auto* box = qobject_cast<QComboBox*>(editor))
        box->setCurrentText(textOf(value));
    else if (auto* check = qobject_cast<QCheckBox*>(editor))
        check->setChecked(value.is_boolean() && value.get<bool>());
    else
        qobject_cast<QLineEdit*>(editor)->setText(textOf(value));
}

ordered_json SettingsForm::values() const {
    ordered_json values = ordered_json::object();
    for (const Field& field : fields_)
        values[field.key] = valueOf(field);
    return values;
}

void SettingsForm::setValues(const ordered_json& values) {
    quiet_ = true;
    for (const Field& field : fields_)
        show(field, values.contains(field.key) ? values[field.key] : field.default_value);
    quiet_ = false;
    onEdited();
}

QString SettingsForm::problem() const {
    for (const Field& field : fields_)
        if (const QString problem = problemOf(field, valueOf(field)); !problem.isEmpty())
            return problem;
    return {};
}

void SettingsForm::onEdited() {
    if (quiet_)
        return;
    mark();
    Q_EMIT changed();
}

void SettingsForm::mark() {
    for (const Field& field : fields_) {
        const Row& row = rows_.at(field.key);
        const bool differs = valueOf(field) != field.default_value;
        QFont font = row.label->font();
        font.setBold(differs);
        row.label->setFont(font);
        row.reset->setVisible(differs);
        if (differs && field.advanced && !advanced_->isVisibleTo(this))
            if (auto* more = findChild<QToolButton*>(QString(), Qt::FindDirectChildrenOnly))
                more->setChecked(true);  // what differs is never hidden
    }
    const QString problem = this->problem();
    problem_->setText(problem);
    problem_->setVisible(!problem.isEmpty());
}

}  // namespace spd
