#pragma once

#include <QObject>
#include <QString>
#include <QStringList>
#include <nlohmann/json.hpp>

#include "core/protocol/job.h"
#include "core/protocol/message.h"

namespace spd {

/// The events of an engine (PROTOCOL.md) as signals. GUI thread.
class EngineEvents : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    /// Emits the signal of one event. An event that cannot be read is said by unreadable() and left out.
    void tell(const protocol::Notification& event);

Q_SIGNALS:
    void jobChanged(const spd::protocol::Job& job);
    void jobRemoved(const QString& job);
    void jobProgress(const QString& job, const spd::protocol::JobProgress& progress);
    /// @param first  index of the first point
    void jobMetrics(const QString& job, qint64 first, const nlohmann::ordered_json& points);
    void jobOutput(const QString& job, const nlohmann::ordered_json& output);
    /// @param job  empty: the engine itself.  @param time  milliseconds since 1970 in UTC
    void logged(const QString& job, qint64 time, const QStringList& lines);
    /// @param params  `model` (null: none is resident), `dtype`, `bytes`
    void modelChanged(const nlohmann::ordered_json& params);
    void runsChanged(const nlohmann::ordered_json& params);
    /// An event that this window does not know by name.
    void otherEvent(const QString& method, const nlohmann::ordered_json& params);
    void unreadable(const QString& what);

private:
    void tellJob(const std::string& method, const nlohmann::ordered_json& params);
};

}  // namespace spd
