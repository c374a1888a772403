#include "app/workbench/pages/stage_job_watch.h"

#include <utility>

#include "app/workbench/workbench.h"

namespace spd {

namespace {

constexpr qint64 kMostPoints = 50'000;  // in one answer: far below the longest line

QString text(const std::string& utf8) {
    return QString::fromStdString(utf8);
}

}  // namespace

StageJobWatch::StageJobWatch(const std::string& kind, Workbench& workbench, QObject* parent)
    : QObject(parent), kind_(kind), workbench_(workbench) {
    connect(&workbench.jobs(), &JobsModel::jobsChanged, this, &StageJobWatch::look);
    connect(&workbench, &Workbench::runCardChanged, this, &StageJobWatch::look);
    connect(&workbench, &Workbench::refreshWanted, this, [this] {
        if (job_)
            fetch();
    });
    EngineEvents& events = workbench.events();
    const auto isMine = [this](const QString& job) { return job_ && job == text(job_->id); };
    connect(&events, &EngineEvents::jobProgress, this,
            [this, isMine](const QString& job, const protocol::JobProgress& progress) {
                if (isMine(job))
                    Q_EMIT progressed(progress);
            });
    connect(&events, &EngineEvents::jobMetrics, this,
            [this, isMine](const QString& job, qint64 first, const nlohmann::ordered_json& points) {
                if (isMine(job))
                    takePoints(first, points);
            });
}

/// Ids grow with time: the largest is the newest.
void StageJobWatch::look() {
    const protocol::Job* newest = nullptr;
    const std::string run = workbench_.draft().name.toStdString();
    for (const JobsModel::Row& row : workbench_.jobs().rows())
        if (row.job.kind == kind_ && row.job.params.value("run", std::string()) == run &&
            (newest == nullptr || newest->id < row.job.id))
            newest = &row.job;
    const bool another =
        (newest == nullptr) != !job_ || (newest != nullptr && job_ && newest->id != job_->id);
    const bool same_state = newest != nullptr && job_ && newest->state == job_->state &&
                            newest->stopping == job_->stopping && newest->position == job_->position;
    if (!another && (newest == nullptr || same_state))
        return;
    job_ = newest == nullptr ? std::nullopt : std::optional(*newest);
    if (another)
        next_point_ = 0;
    Q_EMIT changed();
    if (another && job_)
        fetch();
}

/// What came before this window, or before the connection came back.
void StageJobWatch::fetch() {
    if (std::exchange(fetching_, true))
        return;
    const QString id = text(job_->id);
    workbench_.client().request(
        QStringLiteral("jobs.metrics"), {{"job", job_->id}, {"from", next_point_}, {"limit", kMostPoints}},
        this,
        [this, id, first = next_point_](const nlohmann::ordered_json& result) {
            fetching_ = false;
            if (!job_ || text(job_->id) != id) {
                if (job_)
                    fetch();
                return;
            }
            if (!result.is_object() || !result.contains("points"))
                return;
            takePoints(first, result["points"]);
            // A point that could not be read counts as well; a long curve comes in pieces.
            const qint64 next = result.value("next", next_point_);
            const bool is_more = next >= first + kMostPoints;
            next_point_ = std::max(next_point_, next);
            if (is_more)
                fetch();
        },
        [this](const protocol::Failure&) { fetching_ = false; });
}

void StageJobWatch::takePoints(qint64 first, const nlohmann::ordered_json& points) {
    if (!points.is_array())
        return;
    if (first > next_point_) {  // between them lies what is asked for; these will come with it
        fetch();
        return;
    }
    nlohmann::ordered_json fresh = nlohmann::ordered_json::array();
    for (size_t i = static_cast<size_t>(next_point_ - first); i < points.size(); ++i)
        fresh.push_back(points[i]);
    next_point_ += static_cast<qint64>(fresh.size());
    if (!fresh.empty())
        Q_EMIT pointsCame(fresh);
}

}  // namespace spd
