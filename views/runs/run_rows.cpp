#include "views/runs/run_rows.h"

#include <cmath>
#include <limits>

#include "views/shared/answers/fields.h"

namespace spd {

using nlohmann::ordered_json;

namespace {

QString tagsOf(const ordered_json& json) {
    QStringList words;
    if (json.contains("tags") && json["tags"].is_object())
        for (const auto& [key, value] : json["tags"].items()) {
            const QString text =
                value.is_string() ? QString::fromStdString(value.get<std::string>()) : QString();
            const QString name = QString::fromStdString(key);
            words << (text.isEmpty() ? name : QStringLiteral("%1=%2").arg(name, text));
        }
    return words.join(QStringLiteral(", "));
}

QString cellText(const ordered_json& value) {
    if (value.is_null())
        return {};
    return QString::fromStdString(value.is_string() ? value.get<std::string>() : value.dump());
}

const ordered_json& listAt(const ordered_json& json, const char* key) {
    static const ordered_json none = ordered_json::array();
    const auto found = json.is_object() ? json.find(key) : json.end();
    return json.is_object() && found != json.end() && found->is_array() ? *found : none;
}

}  // namespace

std::optional<RunRow> runRow(const ordered_json& json) {
    if (!json.is_object() || textAt(json, "id").isEmpty())
        return std::nullopt;
    RunRow row{.id = textAt(json, "id"),
               .experiment = textAt(json, "experiment"),
               .name = textAt(json, "name"),
               .method = textAt(json, "method"),
               .seed = {},
               .status = textAt(json, "status"),
               .start_ms = static_cast<int64_t>(numberAt(json, "start_ms")),
               .seconds = numberAt(json, "seconds"),
               .tags = tagsOf(json),
               .note = textAt(json, "note"),
               .error = textAt(json, "error"),
               .folder = textAt(json, "folder"),
               .deleted = json.contains("deleted_ms")};
    if (json.contains("seed") && json["seed"].is_number_integer())
        row.seed = json["seed"].get<int64_t>();
    return row;
}

std::vector<RunRow> runRows(const ordered_json& answer) {
    std::vector<RunRow> rows;
    for (const ordered_json& run : listAt(answer, "runs"))
        if (auto row = runRow(run))
            rows.push_back(std::move(*row));
    return rows;
}

RunDifferences runDifferences(const ordered_json& answer) {
    RunDifferences differences;
    for (const ordered_json& run : listAt(answer, "runs"))
        differences.runs << textAt(run, "name");
    for (const ordered_json& line : listAt(answer, "differences")) {
        if (!line.is_object())
            continue;
        QStringList values;
        for (const ordered_json& value : listAt(line, "values"))
            values << cellText(value);
        values.resize(differences.runs.size());
        differences.lines.push_back({textAt(line, "kind"), textAt(line, "key"), values});
    }
    return differences;
}

std::vector<RunCurve> runCurves(const ordered_json& answer, const QString& key) {
    std::vector<RunCurve> curves;
    for (const ordered_json& run : listAt(answer, "runs")) {
        if (!run.is_object() || !run.contains("curves"))
            continue;
        RunCurve curve{.run = textAt(run, "run"), .x = {}, .y = {}};
        for (const ordered_json& point : listAt(run["curves"], key.toStdString().c_str())) {
            if (!point.is_array() || point.size() != 2 || !point[0].is_number())
                continue;
            curve.x.push_back(point[0].get<double>());
            curve.y.push_back(point[1].is_number() ? point[1].get<double>()
                                                   : std::numeric_limits<double>::quiet_NaN());
        }
        if (!curve.x.empty())
            curves.push_back(std::move(curve));
    }
    return curves;
}

QStringList curveKeys(const ordered_json& answer) {
    QStringList keys;
    for (const ordered_json& run : listAt(answer, "runs"))
        for (const ordered_json& key : listAt(run, "keys"))
            if (key.is_string())
                keys << QString::fromStdString(key.get<std::string>());
    keys.removeDuplicates();
    keys.sort();
    return keys;
}

}  // namespace spd
