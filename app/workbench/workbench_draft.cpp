// Workbench: the run that is being put together, kept over a restart of the window.
#include <QDateTime>

#include "app/workbench/workbench.h"

namespace spd {

namespace {

const QString kForm = QStringLiteral("run");

struct KeptText {
    const char* key;
    QString RunDraft::*text;
};
/// What the engine can be asked for again by; the rest comes with the answers.
constexpr KeptText kKept[] = {{"name", &RunDraft::name},
                              {"model", &RunDraft::model},
                              {"model_title", &RunDraft::model_title},
                              {"task", &RunDraft::task},
                              {"subspace", &RunDraft::subspace},
                              {"corpus", &RunDraft::corpus},
                              {"adapter", &RunDraft::adapter}};

}  // namespace

void Workbench::restoreDraft() {
    const QVariantMap form = settings_.form(kForm);
    for (const KeptText& kept : kKept)
        if (const auto found = form.find(QString::fromLatin1(kept.key)); found != form.end())
            draft_.*kept.text = found->toString();
}

void Workbench::keepDraft() {
    QVariantMap form;
    for (const KeptText& kept : kKept)
        form[QString::fromLatin1(kept.key)] = draft_.*kept.text;
    if (form != settings_.form(kForm))
        settings_.setForm(kForm, form);
}

void Workbench::changeDraft(const std::function<void(RunDraft&)>& change) {
    change(draft_);
    keepDraft();
    Q_EMIT runCardChanged();
    Q_EMIT marksChanged();
}

void Workbench::nameRun() {
    if (!draft_.name.isEmpty())
        return;
    const QString time = QDateTime::currentDateTime().toString(QStringLiteral("MMdd-hhmmss"));
    changeDraft([&](RunDraft& draft) {
        draft.name = QStringLiteral("%1-%2-%3").arg(draft.task, draft.method.toLower(), time);
    });
}

void Workbench::beginNewRun() {
    changeDraft([](RunDraft& draft) {
        RunDraft fresh;
        fresh.model = draft.model;
        fresh.model_title = draft.model_title;
        fresh.task = draft.task;
        fresh.memory_available = draft.memory_available;
        draft = fresh;
    });
}

}  // namespace spd
