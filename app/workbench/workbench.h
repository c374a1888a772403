#pragma once

#include <QObject>
#include <QTimer>
#include <functional>

#include "app/workbench/engine_client.h"
#include "app/workbench/settings.h"
#include "views/frame/run_draft.h"
#include "views/frame/status_line.h"
#include "views/jobs/jobs_model.h"
#include "views/log/log_model.h"

namespace spd {

/// The one controller: holds the connection and all state as values, hands values to the pages and takes
/// their wishes. A page's part is a function of app/workbench/pages/ that connects its signals to requests.
/// GUI thread.
class Workbench : public QObject {
    Q_OBJECT

public:
    using Json = nlohmann::ordered_json;

    /// @param settings  must outlive this.
    explicit Workbench(Settings& settings);
    ~Workbench() override;

    /// Connects to the engine that the settings name.
    void start();

    EngineClient& client() { return client_; }
    EngineEvents& events() { return client_.events(); }
    Settings& settings() { return settings_; }
    JobsModel& jobs() { return jobs_; }
    const RunDraft& draft() const { return draft_; }
    /// Changes the run that is being put together; the card and the rail follow.
    void changeDraft(const std::function<void(RunDraft&)>& change);
    /// Gives the run a name where it has none, before its first job: "math-spd-1125-1432".
    void nameRun();
    /// Another run, with the model that is chosen; the old one stays in the engine's database.
    void beginNewRun();

    StatusValues status() const;
    StageMarks marks() const;
    RunCardValues runCard() const;

    static QString localCommand();
    /// What is wrong with a command line; empty: nothing.
    static QString commandProblem(const QString& line);
    QString commandLine() const;
    void connectTo(const QString& line);
    /// The engine stops its job with what is done saved, ends, and another one is started.
    void restartEngine();
    void unloadModel();

    /// Queues a job. @param on_queued  gets its id; a refusal is said by refused()
    void startJob(const QString& kind, const Json& params, const QString& title,
                  std::function<void(const QString&)> on_queued = {});
    void cancelJob(const QString& job);
    void resumeJob(const QString& job);
    void removeJob(const QString& job);
    void moveJob(const QString& job, int position);
    void removeFinishedJobs();
    /// Loads the job's own log into the log panel.
    void showJobLog(const QString& job);
    bool hasWork() const { return jobs_.running() != nullptr || jobs_.waiting() > 0; }
    /// Cancels all jobs; allStopped() follows when none runs any more.
    void stopAll();

    void log(const QString& source, const QString& text);

Q_SIGNALS:
    void statusChanged();
    void marksChanged();
    void runCardChanged();
    void engineChanged();
    void logged(const spd::LogModel::Line& line);
    /// For a message that one should see: what happened, what to do.
    void refused(const QString& text);
    /// Jobs that their engine's end broke off and that can go on; said once for each. @param text  what
    /// happened, what is kept
    void interrupted(const QStringList& jobs, const QString& text);
    /// A job has ended in this session of the window.
    void jobEnded(const spd::protocol::Job& job);
    /// What is shown of the engine may be old: ask again.
    void refreshWanted();
    void allStopped();

private:
    bool isOfDraft(const protocol::Job& job) const;
    void restoreDraft();
    void keepDraft();
    void wireEngine();
    void wireEvents();
    void onState();
    void refresh();
    void takeJobs(const Json& result);
    void tellInterrupted(const std::vector<protocol::Job>& jobs);
    void takeJob(const protocol::Job& job);
    void takeModel(const Json& model);
    void askMeter();
    void fillEngine(StatusValues& values) const;
    void fillMachine(StatusValues& values) const;
    void jobRequest(const QString& method, const QString& job, Json more = Json::object());

    Settings& settings_;
    EngineClient client_;
    JobsModel jobs_;
    RunDraft draft_;
    QString resident_;  // model in the engine's memory
    double resident_bytes_ = 0;
    qint64 silent_ = 0;
    QTimer meter_;
    QTimer healthy_;
    double cpu_percent_ = -1;
    bool stopping_all_ = false;
};

}  // namespace spd
