// The Training page: the run's corpus and its training job in; train, stop, resume out.

#include <QFileInfo>

#include "app/workbench/pages/connect_pages.h"
#include "app/workbench/pages/stage_job_watch.h"
#include "app/workbench/workbench.h"
#include "views/shared/form/field.h"
#include "views/training/training_page.h"

namespace spd {

using nlohmann::ordered_json;

namespace {

void showCorpus(TrainingPage& page, const Workbench& workbench) {
    const RunDraft& draft = workbench.draft();
    if (draft.corpus.isEmpty()) {
        page.setCorpus({}, {});
        return;
    }
    const QString folder = QFileInfo(draft.corpus).path();
    page.setCorpus(TrainingPage::tr("corpus %1").arg(QFileInfo(draft.corpus).fileName()),
                   QStringLiteral("spd train %1 --corpus %2 --out %3")
                       .arg(shellWord(draft.model), shellWord(draft.corpus),
                            shellWord(folder + QStringLiteral("/training"))));
}

void addPoints(TrainingPage& page, const ordered_json& points) {
    std::vector<TrainingPoint> read;
    for (const ordered_json& point : points)
        if (const auto one = trainingPoint(point))
            read.push_back(*one);
    page.addPoints(read);
}

void start(const ordered_json& settings, Workbench& workbench) {
    workbench.nameRun();
    const RunDraft& draft = workbench.draft();
    ordered_json params = settings;
    params["run"] = draft.name.toStdString();
    params["model"] = draft.model.toStdString();
    params["corpus"] = draft.corpus.toStdString();
    workbench.startJob(QStringLiteral("train"), params, TrainingPage::tr("train %1").arg(draft.name));
}

void tellDifferences(const TrainingPage& page, Workbench& workbench) {
    workbench.changeDraft([&](RunDraft& draft) {
        auto& lines = draft.differences[static_cast<size_t>(Stage::training)];
        lines.clear();
        for (const QString& difference : page.differences())
            lines.push_back(
                {difference.section(u' ', 0, -2), difference.section(u' ', -1), Stage::training, {}});
    });
}

}  // namespace

void connectTrainingPage(TrainingPage& page, Workbench& workbench) {
    auto* watch = new StageJobWatch("train", workbench, &page);
    QObject::connect(watch, &StageJobWatch::changed, &page, [&page, watch, &workbench] {
        page.setJob(watch->job());
        const auto& job = watch->job();
        if (job && job->state == protocol::JobState::finished && job->result.contains("adapter"))
            workbench.changeDraft([&](RunDraft& draft) {
                draft.adapter = QString::fromStdString(job->result.value("adapter", std::string()));
            });
    });
    QObject::connect(watch, &StageJobWatch::progressed, &page, &TrainingPage::setProgress);
    QObject::connect(watch, &StageJobWatch::pointsCame, &page,
                     [&page](const ordered_json& points) { addPoints(page, points); });
    QObject::connect(&workbench, &Workbench::runCardChanged, &page, [&] { showCorpus(page, workbench); });
    QObject::connect(&page, &TrainingPage::trainWanted, &workbench,
                     [&workbench](const ordered_json& settings) { start(settings, workbench); });
    QObject::connect(&page, &TrainingPage::stopWanted, &workbench, [&workbench](const std::string& job) {
        workbench.cancelJob(QString::fromStdString(job));
    });
    QObject::connect(&page, &TrainingPage::resumeWanted, &workbench, [&workbench](const std::string& job) {
        workbench.resumeJob(QString::fromStdString(job));
    });
    QObject::connect(&page, &TrainingPage::settingsChanged, &workbench, [&] {
        keepForm(workbench, "training", page.settings());
        tellDifferences(page, workbench);
    });
    if (const ordered_json kept = keptForm(workbench, "training"); kept.is_object())
        page.setSettings(kept);
    showCorpus(page, workbench);
}

}  // namespace spd
