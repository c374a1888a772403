// The Subspace page: curves of the run's calibration in, picks out.

#include <fmt/format.h>

#include <QPointer>

#include "app/workbench/pages/connect_pages.h"
#include "app/workbench/workbench.h"
#include "core/protocol/subspace_curves.h"
#include "views/subspace/subspace_page.h"

namespace spd {

using nlohmann::ordered_json;

namespace {

QString layersText(const std::set<int64_t>& layers) {
    QStringList words;
    for (const int64_t layer : layers)
        words << QString::number(layer);
    return words.join(QStringLiteral(", "));
}

void tellPick(const SubspacePage& page, Workbench& workbench) {
    const ProjectionPick& pick = page.pick();
    workbench.changeDraft([&](RunDraft& draft) {
        draft.layers = layersText(pick.layers);
        draft.targets =
            pick.project == "both" ? QStringLiteral("K+V") : QString::fromStdString(pick.project).toUpper();
        draft.rank = page.rankInWords();
    });
}

/// Asks for the curves of a folder and shows them.
void load(SubspacePage& page, Workbench& workbench, const QString& folder) {
    workbench.client().request(
        QStringLiteral("subspace.curves"), {{"path", folder.toStdString()}}, &page,
        [&page, &workbench, folder](const ordered_json& result) {
            if (workbench.draft().subspace != folder)
                return;  // another run by now
            try {
                page.setCurves(protocol::SubspaceCurves::fromJson(result));
                tellPick(page, workbench);
            } catch (const protocol::Refusal& refusal) {
                Q_EMIT workbench.refused(SubspacePage::tr("The engine's curves cannot be shown: %1")
                                             .arg(QString::fromUtf8(refusal.what())));
            }
        });
}

}  // namespace

void connectSubspacePage(SubspacePage& page, Workbench& workbench) {
    auto shown = std::make_shared<QString>();
    const auto follow = [&page, &workbench, shown] {
        const QString wanted = workbench.draft().subspace;
        if (wanted == *shown)
            return;
        *shown = wanted;
        if (wanted.isEmpty())
            page.clear();
        else
            load(page, workbench, wanted);
    };
    QObject::connect(&workbench, &Workbench::runCardChanged, &page, follow);
    QObject::connect(&workbench, &Workbench::refreshWanted, &page, [shown, follow] {
        shown->clear();  // asked before an engine was there
        follow();
    });
    QObject::connect(&page, &SubspacePage::pickChanged, &workbench, [&page, &workbench] {
        if (page.hasCurves())
            tellPick(page, workbench);
    });
    follow();
}

ordered_json interventionParams(const SubspacePage& page, const RunDraft& draft) {
    const ProjectionPick& pick = page.pick();
    std::string layers;
    for (const int64_t layer : pick.layers)
        layers += fmt::format("{}{}", layers.empty() ? "" : ",", layer);
    ordered_json params = {{"subspace", draft.subspace.toStdString()},
                           {"project_layers", layers},
                           {"rank_rule", page.rankRule()},
                           {"project", pick.project}};
    return params;
}

}  // namespace spd
