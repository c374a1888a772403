#pragma once

#include <QString>
#include <QStringList>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

namespace spd {

/// One setting of a stage: what a form shows of it and how the command line writes it. A value.
struct Field {
    enum class Kind { integer, number, choice, flag, text };
    std::string key;  ///< in a job's params; "max_grad_norm"
    QString label;    ///< "gradient norm at most"
    Kind kind = Kind::text;
    nlohmann::ordered_json default_value;
    QString what;                                           ///< one sentence
    QString unit = {};                                      ///< "tokens"; empty: none
    QString source = {};                                    ///< of the default: "paper, A.3"
    double low = -std::numeric_limits<double>::infinity();  ///< smallest and largest value
    double high = std::numeric_limits<double>::infinity();
    QStringList choices = {};  ///< as the params take them
    bool advanced = false;     ///< shown on demand
};

/// "--max-grad-norm"
QString flagOf(const Field& field);
/// What, unit, default with its source, flag.
QString tooltipOf(const Field& field);
/// What is wrong with a value, in a sentence; empty: nothing.
QString problemOf(const Field& field, const nlohmann::ordered_json& value);
/// As a person writes it: 1e-05 stays "1e-05", true is "yes".
QString textOf(const nlohmann::ordered_json& value);
/// A number typed by a person; null when it is none. Integers stay integers.
nlohmann::ordered_json numberFrom(const QString& text, Field::Kind kind);

/// Defaults of all fields, an object.
nlohmann::ordered_json defaultsOf(const std::vector<Field>& fields);
/// "lr 0.0002" for each field whose value is not its default.
QStringList differences(const std::vector<Field>& fields, const nlohmann::ordered_json& values);
/// The options of a command that say the same, shell-quoted; defaults are left out.
QString optionsOf(const std::vector<Field>& fields, const nlohmann::ordered_json& values);
/// One word of a POSIX shell.
QString shellWord(const QString& text);

}  // namespace spd
