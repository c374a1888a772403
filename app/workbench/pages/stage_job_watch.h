#pragma once

#include <QObject>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/protocol/job.h"

namespace spd {

class Workbench;

/// Follows the newest job of one kind of the run that is being put together: its state, its progress, and its
/// points from the first one on, whenever the window came. GUI thread.
class StageJobWatch : public QObject {
    Q_OBJECT

public:
    /// @param kind  as in PROTOCOL.md: "train"   @param workbench  must outlive this
    StageJobWatch(const std::string& kind, Workbench& workbench, QObject* parent);

    const std::optional<protocol::Job>& job() const { return job_; }

Q_SIGNALS:
    /// Another job, none, or another state of it.
    void changed();
    void progressed(const spd::protocol::JobProgress& progress);
    /// In their order, each once; after changed() to another job from the first one on.
    void pointsCame(const nlohmann::ordered_json& points);

private:
    void look();
    void fetch();
    void takePoints(qint64 first, const nlohmann::ordered_json& points);

    const std::string kind_;
    Workbench& workbench_;
    std::optional<protocol::Job> job_;
    qint64 next_point_ = 0;
    bool fetching_ = false;
};

}  // namespace spd
