// Workbench: what the window asks of the engine for the user, and the values that the frame shows.
#include <QFileInfo>
#include <utility>

#include "app/workbench/workbench.h"
#include "views/shared/numbers.h"

namespace spd {

void Workbench::restartEngine() {
    client_.request(QStringLiteral("shutdown"), {{"when_idle", false}}, this, [this](const Json&) {
        log(tr("window"), tr("The engine ends; another one is started."));
    });
}

void Workbench::unloadModel() {
    client_.request(QStringLiteral("model.unload"), Json::object(), this,
                    [this](const Json&) { log(tr("window"), tr("The model's memory was given back.")); });
}

void Workbench::startJob(const QString& kind, const Json& params, const QString& title,
                         std::function<void(const QString&)> on_queued) {
    Json all = {{"kind", kind.toStdString()}, {"params", params}};
    if (!title.isEmpty())
        all["title"] = title.toStdString();
    client_.request(
        QStringLiteral("jobs.start"), all, this, [on_queued = std::move(on_queued)](const Json& result) {
            if (on_queued && result.is_object() && result.contains("job") && result["job"].is_object())
                on_queued(QString::fromStdString(result["job"].value("job", std::string())));
        });
}

void Workbench::jobRequest(const QString& method, const QString& job, Json more) {
    more["job"] = job.toStdString();
    client_.request(method, more, this, {});
}

/// The line says so at once; the engine's word follows.
void Workbench::cancelJob(const QString& job) {
    if (const JobsModel::Row* row = jobs_.find(job); row != nullptr &&
                                                     row->job.state == protocol::JobState::running &&
                                                     client_.state() == EngineState::ready) {
        protocol::Job stopping = row->job;
        stopping.stopping = true;
        jobs_.update(stopping);
    }
    jobRequest(QStringLiteral("jobs.cancel"), job);
}

void Workbench::resumeJob(const QString& job) {
    jobRequest(QStringLiteral("jobs.resume"), job);
}
void Workbench::removeJob(const QString& job) {
    jobRequest(QStringLiteral("jobs.remove"), job);
}

void Workbench::moveJob(const QString& job, int position) {
    jobRequest(QStringLiteral("jobs.move"), job, {{"position", position}});
}

void Workbench::removeFinishedJobs() {
    for (const JobsModel::Row& row : jobs_.rows())
        if (row.job.state == protocol::JobState::finished || row.job.state == protocol::JobState::cancelled)
            removeJob(QString::fromStdString(row.job.id));
}

void Workbench::stopAll() {
    stopping_all_ = true;
    std::vector<QString> all;
    for (const JobsModel::Row& row : jobs_.rows())
        if (!protocol::hasEnded(row.job.state))
            all.push_back(QString::fromStdString(row.job.id));
    for (const QString& job : all)
        cancelJob(job);
}

void Workbench::showJobLog(const QString& job) {
    const JobsModel::Row* row = jobs_.find(job);
    const QString title = row == nullptr ? job : QString::fromStdString(row->job.title);
    client_.request(QStringLiteral("jobs.log"), {{"job", job.toStdString()}}, this,
                    [this, title](const Json& result) {
                        for (const Json& line : result.value("lines", Json::array()))
                            if (line.is_string())
                                Q_EMIT logged({0, title, QString::fromStdString(line.get<std::string>())});
                    });
}

RunCardValues Workbench::runCard() const {
    return runCardOf(draft_, client_.state() == EngineState::ready);
}

/// Jobs of other runs say nothing of the one that is put together.
bool Workbench::isOfDraft(const protocol::Job& job) const {
    const auto run = job.params.find("run");
    return run == job.params.end() || !run->is_string() ||
           run->get<std::string>() == draft_.name.toStdString();
}

StageMarks Workbench::marks() const {
    std::vector<StageJob> jobs;
    for (int i = 0; i < jobs_.rowCount(); ++i) {
        const JobsModel::Row& row = jobs_.rows()[static_cast<size_t>(i)];
        const auto stage = stageOfKind(row.job.kind);
        if (!stage || !isOfDraft(row.job))
            continue;
        const double share = jobs_.index(i, 0).data(JobsModel::kShareRole).toDouble();
        jobs.push_back(
            {*stage, row.job.state, share,
             QStringLiteral("%1: %2").arg(QString::fromStdString(row.job.title), stateInWords(row.job))});
    }
    return marksOf(draft_, jobs);
}

StatusValues Workbench::status() const {
    StatusValues values;
    fillEngine(values);
    if (client_.state() == EngineState::ready)
        fillMachine(values);
    if (!resident_.isEmpty())
        values.model =
            tr("model in memory: %1, %2").arg(resident_.section(u'/', -1), formatBytes(resident_bytes_));
    if (jobs_.running() != nullptr)
        values.share = jobs_.index(0, 0).data(JobsModel::kShareRole).toDouble();
    const int running = jobs_.running() == nullptr ? 0 : 1;
    if (jobs_.waiting() > 0)
        values.jobs = tr("%1 running, %2 waiting").arg(running).arg(jobs_.waiting());
    else if (running > 0)
        values.jobs = tr("1 job");
    return values;
}

void Workbench::fillEngine(StatusValues& values) const {
    static const std::pair<EngineState, std::pair<Status, const char*>> kStates[] = {
        {EngineState::none, {Status::plain, QT_TR_NOOP("not connected")}},
        {EngineState::connecting, {Status::running, QT_TR_NOOP("connecting...")}},
        {EngineState::ready, {Status::done, QT_TR_NOOP("engine ready")}},
        {EngineState::lost, {Status::warning, QT_TR_NOOP("engine lost, trying again")}},
        {EngineState::failed, {Status::warning, QT_TR_NOOP("no engine")}},
    };
    for (const auto& [state, words] : kStates)
        if (state == client_.state())
            values.engine_status = words.first, values.engine = tr(words.second);
    if (client_.state() == EngineState::failed || client_.state() == EngineState::lost)
        values.engine += QStringLiteral(": ") + client_.stateLine();
    if (silent_ > 0) {
        values.engine_status = Status::warning;
        values.engine =
            tr("the engine has not answered for %1").arg(formatDuration(static_cast<double>(silent_) / 1000));
    }
    const QString program = QFileInfo(client_.command().value(0)).fileName();
    values.where = program.isEmpty() || program == QStringLiteral("spd-attach") ? tr("local") : program;
    if (program == QStringLiteral("ssh"))
        values.where = QStringLiteral("ssh %1").arg(client_.command().value(1));
}

void Workbench::fillMachine(StatusValues& values) const {
    const EngineInfo& engine = client_.engine();
    values.device = engine.threads == 1 ? tr("1 thread") : tr("%1 threads").arg(engine.threads);
    values.tip = tr("%1, process %2\n%3\nworkspace %4\nConnected by: %5")
                     .arg(engine.program)
                     .arg(engine.pid)
                     .arg(engine.processor, engine.workspace, commandLine());
    if (cpu_percent_ >= 0)
        values.meter = tr("cpu %1 %").arg(cpu_percent_, 0, 'f', 0);
    if (draft_.memory_available)
        values.meter += QStringLiteral("  ") + tr("%1 free").arg(formatBytes(*draft_.memory_available));
}

}  // namespace spd
