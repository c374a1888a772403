#pragma once

#include <QString>
#include <QStringList>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

namespace spd {

/// A run of the database, as runs.list tells it.
struct RunRow {
    QString id;
    QString experiment;
    QString name;
    QString method;
    std::optional<int64_t> seed;
    QString status;  ///< RUNNING, FINISHED, FAILED, KILLED
    int64_t start_ms = 0;
    double seconds = 0;
    QString tags;  ///< "best, note=x"
    QString note;
    QString error;
    QString folder;
    bool deleted = false;
};
/// @return nothing for a row of another shape
std::optional<RunRow> runRow(const nlohmann::ordered_json& json);
std::vector<RunRow> runRows(const nlohmann::ordered_json& answer);

/// What differs between runs: a line a key, a cell a run.
struct RunDifferences {
    QStringList runs;  ///< names
    struct Line {
        QString kind;  ///< param, metric, tag
        QString key;
        QStringList values;  ///< as many as runs; empty where a run has none
    };
    std::vector<Line> lines;
};
/// Of runs.compare's answer.
RunDifferences runDifferences(const nlohmann::ordered_json& answer);

/// One curve of runs.metrics' answer.
struct RunCurve {
    QString run;
    std::vector<double> x;  ///< steps
    std::vector<double> y;  ///< not finite values are gaps
};
std::vector<RunCurve> runCurves(const nlohmann::ordered_json& answer, const QString& key);
/// All keys that any of the runs has, sorted.
QStringList curveKeys(const nlohmann::ordered_json& answer);

}  // namespace spd
