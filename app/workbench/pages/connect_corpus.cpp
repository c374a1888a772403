// The Corpus page: the run's generation and its records in; generate, pause, resume out.

#include "app/workbench/pages/connect_pages.h"
#include "app/workbench/pages/stage_job_watch.h"
#include "app/workbench/workbench.h"
#include "views/corpus/corpus_page.h"
#include "views/subspace/subspace_page.h"

namespace spd {

using nlohmann::ordered_json;

namespace {

constexpr int kRowsAtOnce = 500;

/// Fetches what the page does not show yet, one request at a time.
class RecordFetcher : public QObject {
public:
    RecordFetcher(CorpusPage& page, Workbench& workbench)
        : QObject(&page), page_(page), workbench_(workbench) {}

    /// Another generation: its records begin anew.
    void restart() { complete_ = false; }

    void fetch() {
        if (std::exchange(asked_, true)) {
            again_ = true;
            return;
        }
        again_ = false;
        const QString run = workbench_.draft().name;
        workbench_.client().request(
            QStringLiteral("corpus.rows"),
            {{"run", run.toStdString()}, {"from", page_.shownRecords()}, {"count", kRowsAtOnce}}, this,
            [this, run](const ordered_json& result) { take(run, result); },
            [this](const protocol::Failure&) { asked_ = false; });
    }

private:
    void take(const QString& run, const ordered_json& result) {
        asked_ = false;
        if (run != workbench_.draft().name || !result.is_object() || !result.contains("rows"))
            return;
        // A finished corpus has the order of the prompts, a growing one that of completion.
        if (result.value("complete", false) && !std::exchange(complete_, true) && page_.shownRecords() > 0) {
            page_.clearRecords();
            fetch();
            return;
        }
        const auto rows = result["rows"].get<std::vector<ordered_json>>();
        if (const QString refused = page_.addRecords(rows); !refused.isEmpty()) {
            workbench_.log(CorpusPage::tr("corpus"), refused);
            return;
        }
        if (again_ || std::ssize(rows) == kRowsAtOnce)
            fetch();
    }

    CorpusPage& page_;
    Workbench& workbench_;
    bool asked_ = false;
    bool again_ = false;
    bool complete_ = false;  // what is shown has its last order
};

QString projectionInWords(const RunDraft& draft) {
    return CorpusPage::tr("layers %1, %2, rank %3").arg(draft.layers, draft.targets, draft.rank);
}

void tellMethod(const CorpusPage& page, Workbench& workbench) {
    workbench.changeDraft([&](RunDraft& draft) {
        draft.method = QString::fromStdString(page.settings().value("method", std::string())).toUpper();
    });
}

void start(const CorpusPage& page, const SubspacePage& subspace, Workbench& workbench) {
    workbench.nameRun();
    const RunDraft& draft = workbench.draft();
    ordered_json params = page.settings();
    params["run"] = draft.name.toStdString();
    params["model"] = draft.model.toStdString();
    params["task"] = draft.task.toStdString();
    if (params["method"] == "spd")
        params.update(interventionParams(subspace, draft));
    workbench.startJob(QStringLiteral("generate"), params, CorpusPage::tr("generate %1").arg(draft.name));
}

}  // namespace

void connectCorpusPage(CorpusPage& page, SubspacePage& subspace, Workbench& workbench) {
    auto* watch = new StageJobWatch("generate", workbench, &page);
    auto* fetcher = new RecordFetcher(page, workbench);
    QObject::connect(watch, &StageJobWatch::changed, &page, [&page, watch, fetcher, &workbench] {
        page.setJob(watch->job());
        const auto& job = watch->job();
        if (!job)
            return;
        if (!hasEnded(job->state))
            fetcher->restart();
        fetcher->fetch();
        if (job->state == protocol::JobState::finished && job->result.contains("out"))
            workbench.changeDraft([&](RunDraft& draft) {
                draft.corpus = QString::fromStdString(job->result.value("out", std::string()));
            });
    });
    QObject::connect(watch, &StageJobWatch::progressed, &page,
                     [&page, fetcher](const protocol::JobProgress& progress) {
                         page.setProgress(progress);
                         if (progress.progress.done > page.shownRecords())
                             fetcher->fetch();
                     });
    const auto show = [&page, &workbench] {
        page.setReady(!workbench.draft().subspace.isEmpty(), projectionInWords(workbench.draft()));
    };
    QObject::connect(&workbench, &Workbench::runCardChanged, &page, show);
    QObject::connect(&page, &CorpusPage::generateWanted, &workbench,
                     [&page, &subspace, &workbench] { start(page, subspace, workbench); });
    QObject::connect(&page, &CorpusPage::stopWanted, &workbench, [&workbench](const std::string& job) {
        workbench.cancelJob(QString::fromStdString(job));
    });
    QObject::connect(&page, &CorpusPage::resumeWanted, &workbench, [&workbench](const std::string& job) {
        workbench.resumeJob(QString::fromStdString(job));
    });
    QObject::connect(&page, &CorpusPage::settingsChanged, &workbench, [&page, &workbench] {
        keepForm(workbench, "corpus", page.settings());
        tellMethod(page, workbench);
    });
    if (const ordered_json kept = keptForm(workbench, "corpus"); kept.is_object())
        page.setSettings(kept);
    show();
}

}  // namespace spd
