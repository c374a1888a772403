#include "views/shared/form/field.h"

#include <fmt/format.h>

#include <QCoreApplication>
#include <QRegularExpression>
#include <cmath>

namespace spd {

using nlohmann::ordered_json;

namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("spd::Field", text);
}

QString rangeText(const Field& field) {
    const bool has_low = std::isfinite(field.low);
    const bool has_high = std::isfinite(field.high);
    const auto number = [](double value) { return QString::fromStdString(fmt::format("{}", value)); };
    if (has_low && has_high)
        return tr("from %1 to %2").arg(number(field.low), number(field.high));
    if (has_low)
        return tr("%1 or more").arg(number(field.low));
    return has_high ? tr("%1 or less").arg(number(field.high)) : QString();
}

bool isNumber(Field::Kind kind) {
    return kind == Field::Kind::integer || kind == Field::Kind::number;
}

}  // namespace

QString flagOf(const Field& field) {
    QString name = QString::fromStdString(field.key);
    return QStringLiteral("--") + name.replace(u'_', u'-');
}

QString tooltipOf(const Field& field) {
    QStringList lines = {field.what};
    QString limits = rangeText(field);
    if (!field.unit.isEmpty())
        limits = limits.isEmpty() ? field.unit : tr("%1, %2").arg(field.unit, limits);
    if (!limits.isEmpty())
        lines << limits;
    const QString usual = textOf(field.default_value);
    if (!usual.isEmpty())
        lines << (field.source.isEmpty() ? tr("Default %1").arg(usual)
                                         : tr("Default %1 (%2)").arg(usual, field.source));
    lines << flagOf(field);
    return lines.join(u'\n');
}

QString problemOf(const Field& field, const ordered_json& value) {
    if (isNumber(field.kind)) {
        if (!value.is_number())
            return field.kind == Field::Kind::integer ? tr("%1: a whole number is needed").arg(field.label)
                                                      : tr("%1: a number is needed").arg(field.label);
        const auto number = value.get<double>();
        if (!(number >= field.low && number <= field.high))
            return tr("%1: %2").arg(field.label, rangeText(field));
    }
    if (field.kind == Field::Kind::choice &&
        (!value.is_string() || !field.choices.contains(QString::fromStdString(value.get<std::string>()))))
        return tr("%1: one of %2").arg(field.label, field.choices.join(QStringLiteral(", ")));
    return {};
}

QString textOf(const ordered_json& value) {
    if (value.is_string())
        return QString::fromStdString(value.get<std::string>());
    if (value.is_boolean())
        return value.get<bool>() ? tr("yes") : tr("no");
    if (value.is_number_float())
        return QString::fromStdString(fmt::format("{}", value.get<double>()));
    return value.is_null() ? QString() : QString::fromStdString(value.dump());
}

ordered_json numberFrom(const QString& text, Field::Kind kind) {
    QString plain = text.trimmed();
    plain.remove(QChar(0x2009));
    bool is_good = false;
    if (kind == Field::Kind::integer) {
        const qlonglong number = plain.toLongLong(&is_good);
        return is_good ? ordered_json(number) : ordered_json();
    }
    const double number = plain.toDouble(&is_good);
    return is_good && std::isfinite(number) ? ordered_json(number) : ordered_json();
}

ordered_json defaultsOf(const std::vector<Field>& fields) {
    ordered_json values = ordered_json::object();
    for (const Field& field : fields)
        values[field.key] = field.default_value;
    return values;
}

QStringList differences(const std::vector<Field>& fields, const ordered_json& values) {
    QStringList differing;
    for (const Field& field : fields)
        if (values.contains(field.key) && values[field.key] != field.default_value)
            differing << QStringLiteral("%1 %2").arg(field.label, textOf(values[field.key]));
    return differing;
}

QString optionsOf(const std::vector<Field>& fields, const ordered_json& values) {
    QStringList words;
    for (const Field& field : fields) {
        if (!values.contains(field.key) || values[field.key] == field.default_value)
            continue;
        const ordered_json& value = values[field.key];
        if (field.kind != Field::Kind::flag)
            words << flagOf(field) << shellWord(textOf(value));
        else if (value.get<bool>())
            words << flagOf(field);
    }
    return words.join(u' ');
}

QString shellWord(const QString& text) {
    static const QRegularExpression plain(QStringLiteral("\\A[A-Za-z0-9_./:=@%+,-]+\\z"));
    if (plain.match(text).hasMatch())
        return text;
    QString quoted = text;
    return u'\'' + quoted.replace(u'\'', QStringLiteral("'\\''")) + u'\'';
}

}  // namespace spd
