// The Model page: what the engine finds, load reports, tokens and templates in; the model that is chosen out.

#include <QFileInfo>

#include "app/workbench/pages/connect_pages.h"
#include "app/workbench/workbench.h"
#include "core/protocol/answers/inspection.h"
#include "core/protocol/answers/models.h"
#include "core/protocol/answers/token_texts.h"
#include "views/model/model_page.h"

namespace spd {

using nlohmann::ordered_json;

namespace {

/// The command that downloads a model stands as the last detail of a model that is not there.
QString downloadOf(const QStringList& details) {
    for (const QString& detail : details)
        if (detail.contains(QStringLiteral(" download ")))
            return detail;
    return {};
}

/// Reads an answer; one that cannot be read is said, not shown.
template <class Answer>
void take(Workbench& workbench, const ordered_json& result, const std::function<void(const Answer&)>& show) {
    try {
        show(Answer::fromJson(result));
    } catch (const protocol::Refusal& refusal) {
        Q_EMIT workbench.refused(ModelPage::tr("An answer of the engine cannot be shown: %1")
                                     .arg(QString::fromUtf8(refusal.what())));
    }
}

void askModels(ModelPage& page, Workbench& workbench) {
    workbench.client().request(QStringLiteral("models.list"), ordered_json::object(), &page,
                               [&page, &workbench](const ordered_json& result) {
                                   take<protocol::ModelList>(workbench, result,
                                                             [&](const auto& list) { page.setModels(list); });
                               });
}

void askInspection(ModelPage& page, Workbench& workbench, const QString& model, int context,
                   const QString& dtype) {
    ordered_json params = {{"model", model.toStdString()}, {"context", context}};
    if (!dtype.isEmpty())
        params["dtype"] = dtype.toStdString();
    workbench.client().request(
        QStringLiteral("model.inspect"), params, &page,
        [&page, &workbench, model](const ordered_json& result) {
            take<protocol::ModelInspection>(workbench, result,
                                            [&](const auto& found) { page.setInspection(model, found); });
        },
        [&page, model](const protocol::Failure& failure) {
            const QStringList details = detailsOf(failure);
            page.setInspectionFailure(model, QString::fromStdString(failure.message), details,
                                      downloadOf(details));
        });
}

void connectTries(ModelPage& page, Workbench& workbench) {
    QObject::connect(
        &page, &ModelPage::tokenizeWanted, &workbench, [&](const QString& model, const QString& text) {
            workbench.client().request(
                QStringLiteral("text.tokenize"),
                {{"model", model.toStdString()}, {"text", text.toStdString()}}, &page,
                [&page, &workbench, model](const ordered_json& result) {
                    take<protocol::TokenizedText>(workbench, result,
                                                  [&](const auto& answer) { page.setTokens(model, answer); });
                },
                [&page](const protocol::Failure& failure) {
                    page.setTokensFailure(QString::fromStdString(failure.message), detailsOf(failure));
                });
        });
    QObject::connect(
        &page, &ModelPage::renderWanted, &workbench,
        [&](const QString& model, const ordered_json& messages, bool add_generation_prompt) {
            workbench.client().request(
                QStringLiteral("text.render"),
                {{"model", model.toStdString()},
                 {"messages", messages},
                 {"add_generation_prompt", add_generation_prompt}},
                &page,
                [&page, &workbench, model](const ordered_json& result) {
                    take<protocol::RenderedMessages>(
                        workbench, result, [&](const auto& answer) { page.setRendered(model, answer); });
                },
                [&page](const protocol::Failure& failure) {
                    page.setRenderFailure(QString::fromStdString(failure.message), detailsOf(failure));
                });
        });
}

/// What another model has made belongs to another run.
void choose(Workbench& workbench, const QString& model) {
    if (workbench.draft().model != model && !workbench.draft().name.isEmpty())
        workbench.beginNewRun();
    workbench.changeDraft([&](RunDraft& draft) {
        draft.model = model;
        draft.model_title = model.startsWith(u'/') ? QFileInfo(model).fileName() : model;
    });
}

}  // namespace

void connectModelPage(ModelPage& page, Workbench& workbench) {
    QObject::connect(&workbench, &Workbench::refreshWanted, &page, [&] { askModels(page, workbench); });
    QObject::connect(&workbench, &Workbench::engineChanged, &page, [&] {
        if (workbench.client().state() != EngineState::ready)
            page.clear();
    });
    QObject::connect(
        &workbench.events(), &EngineEvents::modelChanged, &page, [&](const ordered_json& params) {
            try {
                page.setLoaded(protocol::LoadedModel::fromJson(params.value("model", ordered_json())));
            } catch (const protocol::Refusal& refusal) {
                workbench.log(ModelPage::tr("window"), QString::fromUtf8(refusal.what()));
            }
        });
    QObject::connect(&page, &ModelPage::refreshWanted, &workbench, [&] { askModels(page, workbench); });
    QObject::connect(&page, &ModelPage::unloadWanted, &workbench, &Workbench::unloadModel);
    QObject::connect(&page, &ModelPage::firstStepWanted, &workbench, [&] { workbench.client().reconnect(); });
    QObject::connect(&page, &ModelPage::inspectWanted, &workbench,
                     [&](const QString& model, int context, const QString& dtype) {
                         askInspection(page, workbench, model, context, dtype);
                     });
    QObject::connect(&page, &ModelPage::modelChosen, &workbench, [&](const QString& model) {
        choose(workbench, model);
        page.setChosen(model);
    });
    QObject::connect(&page, &ModelPage::folderWanted, &workbench, [&] {
        chooseOnEngine(workbench, &page, ModelPage::tr("A checkpoint folder on the engine's machine"),
                       /*file=*/false, [&page](const QString& path) { page.lookAt(path); });
    });
    connectTries(page, workbench);
    page.setChosen(workbench.draft().model);
}

}  // namespace spd
