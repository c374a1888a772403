// The Preview page: run and stop out, what the panes say in.

#include <deque>

#include "app/workbench/pages/connect_pages.h"
#include "app/workbench/workbench.h"
#include "views/preview/preview_page.h"
#include "views/subspace/subspace_page.h"

namespace spd {

using nlohmann::ordered_json;

namespace {

/// The one preview that the page shows. Its output may come before the answer that names the job.
class PreviewRun : public QObject {
public:
    PreviewRun(PreviewPage& page, SubspacePage& subspace, Workbench& workbench)
        : QObject(&page), page_(page), subspace_(subspace), workbench_(workbench) {
        connect(&workbench.events(), &EngineEvents::jobOutput, this, &PreviewRun::onOutput);
        connect(&workbench.events(), &EngineEvents::jobChanged, this, &PreviewRun::onChanged);
        connect(&workbench, &Workbench::engineChanged, this, [this] {
            if (workbench_.client().state() != EngineState::ready && running_)
                finish(PreviewPage::tr("The connection to the engine was lost; what was shown stays."));
        });
    }

    void start() {
        ordered_json params = page_.settings();
        params["model"] = workbench_.draft().model.toStdString();
        params["panes"] = ordered_json::array();
        for (const PaneChoice& choice : page_.choices())
            params["panes"].push_back(paneParams(choice));
        running_ = true;
        job_.clear();
        early_.clear();
        page_.begin();
        workbench_.client().request(
            QStringLiteral("jobs.start"),
            {{"kind", "preview"}, {"params", params}, {"title", PreviewPage::tr("preview").toStdString()}},
            this, [this](const ordered_json& result) { onQueued(result); },
            [this](const protocol::Failure& failure) { finish(QString::fromStdString(failure.message)); });
    }

    void stop() {
        if (!job_.isEmpty())
            workbench_.cancelJob(job_);
    }

private:
    ordered_json paneParams(const PaneChoice& choice) const {
        if (choice.kind == PaneChoice::Kind::adapter)
            return {{"adapter", workbench_.draft().adapter.toStdString()}};
        if (choice.kind == PaneChoice::Kind::base)
            return ordered_json::object();
        ordered_json params = interventionParams(subspace_, workbench_.draft());
        params["strength"] = choice.strength;
        if (choice.rank > 0) {
            params.erase("rank_rule");
            params["rank"] = choice.rank;
        }
        return params;
    }

    void onQueued(const ordered_json& result) {
        const ordered_json job = result.value("job", ordered_json::object());
        job_ = QString::fromStdString(job.value("job", std::string()));
        for (const auto& [id, output] : early_)
            if (id == job_)
                page_.take(output);
        early_.clear();
        if (const JobsModel::Row* row = workbench_.jobs().find(job_); row != nullptr)
            onChanged(row->job);
    }

    void onOutput(const QString& job, const ordered_json& output) {
        if (running_ && job_.isEmpty())
            early_.emplace_back(job, output);
        else if (job == job_)
            page_.take(output);
    }

    void onChanged(const protocol::Job& job) {
        if (!running_ || QString::fromStdString(job.id) != job_ || !hasEnded(job.state))
            return;
        finish(job.failure ? QString::fromStdString(job.failure->message) : QString());
    }

    void finish(const QString& message) {
        running_ = false;
        page_.end(message);
    }

    PreviewPage& page_;
    SubspacePage& subspace_;
    Workbench& workbench_;
    bool running_ = false;
    QString job_;
    std::deque<std::pair<QString, ordered_json>> early_;
};

}  // namespace

void connectPreviewPage(PreviewPage& page, SubspacePage& subspace, Workbench& workbench) {
    auto* run = new PreviewRun(page, subspace, workbench);
    const auto show = [&page, &workbench] {
        const RunDraft& draft = workbench.draft();
        page.setOffered(!draft.model.isEmpty(), !draft.subspace.isEmpty(), !draft.adapter.isEmpty());
    };
    QObject::connect(&workbench, &Workbench::runCardChanged, &page, show);
    QObject::connect(&page, &PreviewPage::runWanted, run, [run] { run->start(); });
    QObject::connect(&page, &PreviewPage::stopWanted, run, [run] { run->stop(); });
    show();
}

}  // namespace spd
