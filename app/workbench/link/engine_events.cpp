#include "app/workbench/link/engine_events.h"

#include "views/shared/answers/fields.h"

namespace spd {

namespace {

using Json = nlohmann::ordered_json;

QStringList linesOf(const Json& params) {
    QStringList lines;
    if (const auto found = params.find("lines"); found != params.end() && found->is_array())
        for (const Json& line : *found)
            if (line.is_string())
                lines << QString::fromStdString(line.get<std::string>());
    return lines;
}

/// The events carry "seq" and "job" beside what protocol's readers know, and those refuse others only when
/// asked to: so they can be handed the params whole.
protocol::JobProgress progressOf(const Json& params) {
    const auto inner = params.find("progress");
    return protocol::JobProgress::fromJson(inner != params.end() && inner->is_object() ? *inner : params);
}

}  // namespace

void EngineEvents::tell(const protocol::Notification& event) {
    try {
        if (event.method.starts_with("job."))
            tellJob(event.method, event.params);
        else if (event.method == "log")
            Q_EMIT logged(textAt(event.params, "job"), integerAt(event.params, "time"),
                          linesOf(event.params));
        else if (event.method == "model.changed")
            Q_EMIT modelChanged(event.params);
        else if (event.method == "runs.changed")
            Q_EMIT runsChanged(event.params);
        else
            Q_EMIT otherEvent(QString::fromStdString(event.method), event.params);
    } catch (const std::exception& error) {
        Q_EMIT unreadable(tr("The engine's event %1 could not be read: %2")
                              .arg(QString::fromStdString(event.method), QString::fromUtf8(error.what())));
    }
}

void EngineEvents::tellJob(const std::string& method, const Json& params) {
    const QString job = textAt(params, "job");
    if (method == "job.changed") {
        Q_EMIT jobChanged(protocol::Job::fromJson(params));
    } else if (method == "job.removed") {
        Q_EMIT jobRemoved(job);
    } else if (method == "job.progress") {
        Q_EMIT jobProgress(job, progressOf(params));
    } else if (method == "job.metrics") {
        Q_EMIT jobMetrics(job, integerAt(params, "first"), params.value("points", Json::array()));
    } else if (method == "job.output") {
        Q_EMIT jobOutput(job, params.value("output", Json()));
    } else {
        Q_EMIT otherEvent(QString::fromStdString(method), params);
    }
}

}  // namespace spd
