// The Calibration page: tasks, examples and the run's calibration in; examples wanted, run, stop out.

#include "app/workbench/pages/connect_pages.h"
#include "app/workbench/pages/stage_job_watch.h"
#include "app/workbench/workbench.h"
#include "core/protocol/answers/calibration.h"
#include "views/calibration/calibration_choice.h"
#include "views/calibration/calibration_page.h"

namespace spd {

using nlohmann::ordered_json;

namespace {

void askTasks(CalibrationPage& page, Workbench& workbench) {
    workbench.client().request(QStringLiteral("tasks.list"), ordered_json::object(), &page,
                               [&page, &workbench](const ordered_json& result) {
                                   try {
                                       page.setTasks(protocol::TaskList::fromJson(result));
                                   } catch (const protocol::Refusal& refusal) {
                                       workbench.log(CalibrationPage::tr("window"),
                                                     QString::fromUtf8(refusal.what()));
                                   }
                               });
}

void askExamples(CalibrationPage& page, Workbench& workbench, const ordered_json& params) {
    const int64_t from = params.value("from", int64_t{0});
    workbench.client().request(
        QStringLiteral("calibration.examples"), params, &page,
        [&page, from](const ordered_json& result) {
            try {
                page.setExamples(protocol::ExampleList::fromJson(result), from);
            } catch (const protocol::Refusal& refusal) {
                page.setExamplesFailure(QString::fromUtf8(refusal.what()), {});
            }
        },
        [&page](const protocol::Failure& failure) {
            page.setExamplesFailure(QString::fromStdString(failure.message), detailsOf(failure));
        });
}

/// Another calibration in a run that has one makes what was built on it another run's.
void start(Workbench& workbench, ordered_json params) {
    if (!workbench.draft().subspace.isEmpty())
        workbench.beginNewRun();
    workbench.nameRun();
    params["run"] = workbench.draft().name.toStdString();
    workbench.startJob(QStringLiteral("calibrate"), params,
                       CalibrationPage::tr("calibrate %1").arg(workbench.draft().name));
}

void followJob(CalibrationPage& page, Workbench& workbench) {
    auto* watch = new StageJobWatch("calibrate", workbench, &page);
    QObject::connect(watch, &StageJobWatch::changed, &page, [&page, &workbench, watch] {
        const auto& job = watch->job();
        page.setRunning(job && !hasEnded(job->state));
        if (!job)
            return;
        if (job->state == protocol::JobState::finished && job->result.contains("out"))
            workbench.changeDraft([&](RunDraft& draft) {
                draft.subspace = QString::fromStdString(job->result.value("out", std::string()));
            });
        if (job->failure) {
            QStringList details;
            for (const std::string& detail : job->failure->details)
                details << QString::fromStdString(detail);
            page.setRunFailure(QString::fromStdString(job->failure->message), details);
        }
    });
    QObject::connect(watch, &StageJobWatch::progressed, &page, &CalibrationPage::setProgress);
    QObject::connect(watch, &StageJobWatch::pointsCame, &page, [&page](const ordered_json& points) {
        for (const ordered_json& point : points)
            page.addPoint(point);
    });
    QObject::connect(&page, &CalibrationPage::stopWanted, watch, [&workbench, watch] {
        if (watch->job())
            workbench.cancelJob(QString::fromStdString(watch->job()->id));
    });
}

}  // namespace

void connectCalibrationPage(CalibrationPage& page, Workbench& workbench) {
    QObject::connect(&workbench, &Workbench::refreshWanted, &page, [&] { askTasks(page, workbench); });
    auto shown = std::make_shared<QString>();
    const auto showModel = [&page, &workbench, shown] {
        if (*shown == workbench.draft().model)
            return;
        *shown = workbench.draft().model;
        page.setModel(*shown);
    };
    QObject::connect(&workbench, &Workbench::runCardChanged, &page, showModel);
    QObject::connect(&page, &CalibrationPage::examplesWanted, &workbench,
                     [&](const ordered_json& params) { askExamples(page, workbench, params); });
    QObject::connect(&page, &CalibrationPage::choiceChanged, &workbench,
                     [&](const CalibrationChoice& choice) {
                         workbench.changeDraft([&](RunDraft& draft) {
                             if (!choice.task.empty())
                                 draft.task = QString::fromStdString(choice.task);
                             draft.calibration_examples = static_cast<int>(choice.n);
                         });
                     });
    QObject::connect(&page, &CalibrationPage::runWanted, &workbench,
                     [&](const ordered_json& params) { start(workbench, params); });
    QObject::connect(&page, &CalibrationPage::fileWanted, &workbench, [&] {
        chooseOnEngine(workbench, &page, CalibrationPage::tr("A file of examples on the engine's machine"),
                       /*file=*/true, [&page](const QString& path) { page.setPath(path); });
    });
    followJob(page, workbench);
    showModel();
}

}  // namespace spd
