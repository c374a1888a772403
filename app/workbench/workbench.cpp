#include "app/workbench/workbench.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QFileInfo>

#include "app/workbench/link/shell_words.h"
#include "views/shared/answers/fields.h"

namespace spd {

namespace {

constexpr int kMeterMilliseconds = 3000;
constexpr int kHealthyMilliseconds = 30'000;
constexpr qsizetype kRecentCommands = 8;

}  // namespace

Workbench::Workbench(Settings& settings) : settings_(settings) {
    meter_.setInterval(kMeterMilliseconds);
    healthy_.setSingleShot(true);
    healthy_.setInterval(kHealthyMilliseconds);
    connect(&meter_, &QTimer::timeout, this, &Workbench::askMeter);
    connect(&healthy_, &QTimer::timeout, this, [this] { settings_.endRecovering(); });
    connect(&jobs_, &JobsModel::jobsChanged, this, [this] {
        client_.setBusy(jobs_.running() != nullptr);
        Q_EMIT marksChanged();
        Q_EMIT statusChanged();
        if (stopping_all_ && !hasWork()) {
            stopping_all_ = false;
            Q_EMIT allStopped();
        }
    });
    restoreDraft();
    wireEngine();
    wireEvents();
}

Workbench::~Workbench() {
    settings_.endRecovering();
}

void Workbench::wireEngine() {
    connect(&client_, &EngineClient::stateChanged, this, &Workbench::onState);
    connect(&client_, &EngineClient::connected, this, [this] { refresh(); });
    connect(&client_, &EngineClient::silent, this, [this](qint64 milliseconds) {
        silent_ = milliseconds;
        Q_EMIT statusChanged();
    });
    connect(&client_, &EngineClient::requestFailed, this,
            [this](const QString& method, const protocol::Failure& failure) {
                // What a page asks for by itself comes again with the connection; what a person wanted does
                // not.
                const bool is_wish = method == QStringLiteral("jobs.start") ||
                                     method == QStringLiteral("jobs.cancel") ||
                                     method == QStringLiteral("jobs.resume");
                const bool is_quiet =
                    failure.kind == "cancelled" || (failure.kind == "not_connected" && !is_wish);
                if (!is_quiet)
                    Q_EMIT refused(QString::fromStdString(failure.message));
            });
    connect(&client_, &EngineClient::oddLine, this, [this](const QString& what) { log(tr("window"), what); });
}

void Workbench::wireEvents() {
    EngineEvents& from = client_.events();
    connect(&from, &EngineEvents::jobChanged, this, &Workbench::takeJob);
    connect(&from, &EngineEvents::jobRemoved, &jobs_, &JobsModel::remove);
    connect(&from, &EngineEvents::jobProgress, this,
            [this](const QString& job, const protocol::JobProgress& progress) {
                jobs_.setProgress(job, progress);
                Q_EMIT marksChanged();
                Q_EMIT statusChanged();
            });
    connect(&from, &EngineEvents::logged, this,
            [this](const QString& job, qint64 time, const QStringList& lines) {
                const JobsModel::Row* row = jobs_.find(job);
                const QString source = job.isEmpty()    ? tr("engine")
                                       : row == nullptr ? job
                                                        : QString::fromStdString(row->job.title);
                for (const QString& line : lines)
                    Q_EMIT logged({time > 0 ? time : QDateTime::currentMSecsSinceEpoch(), source, line});
            });
    connect(&from, &EngineEvents::modelChanged, this,
            [this](const Json& params) { takeModel(params.value("model", Json())); });
}

void Workbench::start() {
    QString line = settings_.value(Settings::kEngineCommand).toString();
    if (line.isEmpty())
        line = localCommand();
    if (!settings_.beginRecovering(line)) {
        log(tr("window"),
            tr("The last start broke off while it connected with %1; this one does not. Engine > Reconnect "
               "does it by hand.")
                .arg(line));
        Q_EMIT refused(
            tr("The last start of the window broke off while it connected, so this one waits. "
               "Engine > Connect... goes on."));
        Q_EMIT statusChanged();
        return;
    }
    healthy_.start();
    connectTo(line);
}

QString Workbench::localCommand() {
    const QString beside = QCoreApplication::applicationDirPath() + QStringLiteral("/spd-attach");
    return shellLine({QFileInfo::exists(beside) ? beside : QStringLiteral("spd-attach")});
}

QString Workbench::commandProblem(const QString& line) {
    const auto words = shellWords(line);
    if (!words)
        return tr("A quote is not closed.");
    return words->isEmpty() ? tr("A command is needed, as spd-attach or ssh HOST spd-attach.") : QString();
}

QString Workbench::commandLine() const {
    return client_.command().isEmpty() ? localCommand() : shellLine(client_.command());
}

void Workbench::connectTo(const QString& line) {
    const auto words = shellWords(line);
    if (!words || words->isEmpty()) {
        Q_EMIT refused(commandProblem(line));
        return;
    }
    if (line != localCommand()) {
        QStringList recent = settings_.value(Settings::kRecentCommands).toStringList();
        recent.removeAll(line);
        recent.prepend(line);
        settings_.set(Settings::kRecentCommands, QStringList(recent.mid(0, kRecentCommands)));
    }
    settings_.set(Settings::kEngineCommand, line == localCommand() ? QString() : line);
    if (*words != client_.command())
        jobs_.setJobs({});
    if (*words != client_.command() && !client_.command().isEmpty())
        changeDraft([](RunDraft& draft) { draft = {}; });  // its folders lie on the other engine's machine
    client_.connectTo(*words);
}

void Workbench::onState() {
    log(tr("window"), client_.stateLine());
    const bool ready = client_.state() == EngineState::ready;
    if (ready) {
        meter_.start();
        askMeter();
    } else {
        meter_.stop();
        silent_ = 0;
        cpu_percent_ = -1;
        resident_.clear();
        resident_bytes_ = 0;
    }
    Q_EMIT statusChanged();
    Q_EMIT runCardChanged();
    Q_EMIT engineChanged();
}

/// Everything that is shown of an engine, asked for anew: after a first hello, another session, lost events.
void Workbench::refresh() {
    client_.request(QStringLiteral("jobs.list"), Json::object(), this,
                    [this](const Json& result) { takeJobs(result); });
    client_.request(
        QStringLiteral("models.list"), Json::object(), this,
        [this](const Json& result) {
            if (result.is_object() && result.contains("resident"))
                takeModel(result["resident"]);
        },
        [](const protocol::Failure&) {});  // the page of models asks too, and says what is wrong
    Q_EMIT refreshWanted();
}

void Workbench::takeJobs(const Json& result) {
    std::vector<protocol::Job> jobs;
    for (const Json& one : result.value("jobs", Json::array())) {
        try {
            jobs.push_back(protocol::Job::fromJson(one));
        } catch (const std::exception& error) {
            log(tr("window"),
                tr("A job of the engine's list could not be read: %1").arg(QString::fromUtf8(error.what())));
        }
    }
    tellInterrupted(jobs);
    jobs_.setJobs(jobs);
}

/// Before the list is replaced: it still knows how far each had come.
void Workbench::tellInterrupted(const std::vector<protocol::Job>& jobs) {
    QStringList ids;
    QString title, place;
    for (const protocol::Job& job : jobs) {
        const JobsModel::Row* known = jobs_.find(QString::fromStdString(job.id));
        if (job.state != protocol::JobState::interrupted || !job.resumable ||
            (known != nullptr && known->job.state == job.state))
            continue;
        ids << QString::fromStdString(job.id);
        title = QString::fromStdString(job.title.empty() ? job.kind : job.title);
        if (known != nullptr && known->progress && known->progress->progress.total > 0)
            place =
                tr(" at %1 of %2").arg(known->progress->progress.done).arg(known->progress->progress.total);
    }
    if (ids.size() == 1)
        Q_EMIT interrupted(
            ids, tr("The engine ended while \"%1\" ran%2. What it had saved is kept.").arg(title, place));
    else if (!ids.isEmpty())
        Q_EMIT interrupted(
            ids, tr("%1 jobs were broken off by the end of their engine. What they had saved is kept.")
                     .arg(ids.size()));
}

void Workbench::takeJob(const protocol::Job& job) {
    const JobsModel::Row* known = jobs_.find(QString::fromStdString(job.id));
    const bool ends =
        protocol::hasEnded(job.state) && (known == nullptr || !protocol::hasEnded(known->job.state));
    jobs_.update(job);
    if (ends)
        Q_EMIT jobEnded(job);
}

/// @param model  null when none is in memory
void Workbench::takeModel(const Json& model) {
    resident_ = model.is_object() ? textAt(model, "model") : QString();
    resident_bytes_ = model.is_object() ? numberAt(model, "bytes", 0) : 0;
    Q_EMIT statusChanged();
}

void Workbench::askMeter() {
    client_.request(
        QStringLiteral("machine.meter"), Json::object(), this,
        [this](const Json& result) {
            if (!result.is_object())
                return;
            cpu_percent_ = numberAt(result, "cpu_percent", -1);
            const double available = numberAt(result, "memory_available", -1);
            changeDraft([&](RunDraft& draft) {
                draft.memory_available = available < 0 ? std::nullopt : std::optional(available);
            });
            Q_EMIT statusChanged();
        },
        [this](const protocol::Failure& failure) {
            if (failure.kind == "unknown_method")
                meter_.stop();
        });
}

void Workbench::log(const QString& source, const QString& text) {
    Q_EMIT logged({QDateTime::currentMSecsSinceEpoch(), source, text});
}

}  // namespace spd
