// The Runs page: the database's runs, their differences and curves in; tags, notes, the trash out.

#include "app/workbench/pages/connect_pages.h"
#include "app/workbench/workbench.h"
#include "views/runs/runs_page.h"

namespace spd {

using nlohmann::ordered_json;

namespace {

ordered_json listOf(const QStringList& texts) {
    ordered_json list = ordered_json::array();
    for (const QString& text : texts)
        list.push_back(text.toStdString());
    return list;
}

void askRuns(RunsPage& page, Workbench& workbench, bool deleted) {
    workbench.client().request(QStringLiteral("runs.list"), {{"deleted", deleted}}, &page,
                               [&page](const ordered_json& result) { page.setRuns(runRows(result)); });
}

}  // namespace

void connectRunsPage(RunsPage& page, Workbench& workbench) {
    auto deleted = std::make_shared<bool>(false);
    const auto refresh = [&page, &workbench, deleted] { askRuns(page, workbench, *deleted); };
    const auto change = [&page, &workbench, refresh](const QString& method, const ordered_json& params) {
        workbench.client().request(method, params, &page, [refresh](const ordered_json&) { refresh(); });
    };
    QObject::connect(&workbench, &Workbench::refreshWanted, &page, refresh);
    QObject::connect(&workbench.events(), &EngineEvents::runsChanged, &page, refresh);
    QObject::connect(&page, &RunsPage::refreshWanted, &workbench, [deleted, refresh](bool shown) {
        *deleted = shown;
        refresh();
    });
    QObject::connect(&page, &RunsPage::comparisonWanted, &workbench,
                     [&page, &workbench](const QStringList& ids) {
                         workbench.client().request(QStringLiteral("runs.compare"), {{"runs", listOf(ids)}},
                                                    &page, [&page, ids](const ordered_json& result) {
                                                        page.setDifferences(ids, runDifferences(result));
                                                    });
                     });
    QObject::connect(
        &page, &RunsPage::curvesWanted, &workbench,
        [&page, &workbench](const QStringList& ids, const QString& key) {
            workbench.client().request(
                QStringLiteral("runs.metrics"), {{"runs", listOf(ids)}, {"keys", listOf({key})}}, &page,
                [&page, ids, key](const ordered_json& result) { page.setCurves(ids, key, result); });
        });
    QObject::connect(
        &page, &RunsPage::tagWanted, &workbench,
        [change](const QString& id, const QString& key, const QString& value) {
            change(QStringLiteral("runs.tag"),
                   {{"run", id.toStdString()}, {"key", key.toStdString()}, {"value", value.toStdString()}});
        });
    QObject::connect(
        &page, &RunsPage::noteWanted, &workbench, [change](const QString& id, const QString& text) {
            change(QStringLiteral("runs.note"), {{"run", id.toStdString()}, {"text", text.toStdString()}});
        });
    QObject::connect(&page, &RunsPage::deleteWanted, &workbench, [change](const QString& id) {
        change(QStringLiteral("runs.delete"), {{"run", id.toStdString()}});
    });
    QObject::connect(&page, &RunsPage::restoreWanted, &workbench, [change](const QString& id) {
        change(QStringLiteral("runs.restore"), {{"run", id.toStdString()}});
    });
}

}  // namespace spd
