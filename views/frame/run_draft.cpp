#include "views/frame/run_draft.h"

#include <QCoreApplication>
#include <algorithm>

#include "views/shared/numbers.h"

namespace spd {

namespace {

QString say(const char* text) {
    return QCoreApplication::translate("RunDraft", text);
}

/// What of the run each page is done with.
std::array<const QString*, kStageCount> results(const RunDraft& draft) {
    return {&draft.model,  &draft.subspace, &draft.rank,   nullptr,
            &draft.corpus, &draft.adapter,  &draft.scores, nullptr};
}

}  // namespace

NextStep nextStep(const RunDraft& draft) {
    if (draft.model.isEmpty())
        return {Stage::model, say("Choose a model"), say("Everything begins with a model.")};
    if (draft.subspace.isEmpty())
        return {Stage::calibration, say("Run calibration"),
                say("Measures the K and V gradients of %1 examples.")
                    .arg(formatCount(draft.calibration_examples))};
    if (draft.rank.isEmpty())
        return {Stage::subspace, say("Pick layers and rank"), say("What the projection keeps.")};
    if (draft.corpus.isEmpty())
        return {Stage::corpus, say("Generate corpus"),
                say("One completion a training prompt, with the projection.")};
    if (draft.adapter.isEmpty())
        return {Stage::training, say("Train adapter"),
                say("LoRA on the generated corpus, without the projection.")};
    if (draft.scores.isEmpty())
        return {Stage::evaluation, say("Evaluate"), say("Scores base and adapter on the same examples.")};
    return {Stage::runs, say("Compare runs"), say("Everything of this run is there.")};
}

RunCardValues runCardOf(const RunDraft& draft, bool ready) {
    RunCardValues card;
    card.name = draft.name;
    const QString model = draft.model_title.isEmpty() ? draft.model : draft.model_title;
    card.lines = {
        {say("model"), model, Stage::model, say("The base model: a Hugging Face checkpoint")},
        {say("task"), say("%1, n_cal %2").arg(draft.task).arg(draft.calibration_examples), Stage::calibration,
         say("Task and number of calibration examples. Default 50 (paper, Table 7)")},
        {say("method"), draft.method, Stage::corpus, say("base, PSR, SSD or SPD")},
        {say("layers"),
         draft.layers.isEmpty() ? QString() : QStringLiteral("%1  %2").arg(draft.layers, draft.targets),
         Stage::subspace,
         say("Layers whose K and V are projected, counted from 0. Default: last and middle")},
        {say("rank"), draft.rank, Stage::subspace,
         say("Rank r of the projection, directions. Half of d by default (paper, Table 7)")},
    };
    for (const auto& lines : draft.differences)
        card.differences.insert(card.differences.end(), lines.begin(), lines.end());
    card.memory_needed = draft.memory_needed;
    card.memory_available = draft.memory_available;
    const NextStep next = nextStep(draft);
    card.next_step = ready ? next.words : say("Connect to an engine");
    card.next_step_tip = ready ? next.tip : say("The engine does the work; the window only shows it.");
    card.can_step = true;
    return card;
}

std::optional<Stage> stageOfKind(const std::string& kind) {
    static const std::pair<const char*, Stage> kKinds[] = {
        {"calibrate", Stage::calibration}, {"subspace", Stage::subspace}, {"preview", Stage::preview},
        {"generate", Stage::corpus},       {"train", Stage::training},    {"eval", Stage::evaluation},
        {"evaluate", Stage::evaluation},   {"run", Stage::runs},          {"model", Stage::model}};
    for (const auto& [start, stage] : kKinds)
        if (kind.starts_with(start))
            return stage;
    return {};
}

StageMarks marksOf(const RunDraft& draft, const std::vector<StageJob>& jobs) {
    using protocol::JobState;
    StageMarks marks;
    const auto done = results(draft);
    for (size_t i = 0; i < marks.size(); ++i)
        if (done[i] != nullptr && !done[i]->isEmpty())
            marks[i] = {StageMark::Kind::done, 0, *done[i]};
    for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {  // the newest has the last word
        StageMark& mark = marks[static_cast<size_t>(job->stage)];
        if (job->state == JobState::running)
            mark = {StageMark::Kind::running, job->share, job->words};
        else if (job->state == JobState::failed || job->state == JobState::interrupted)
            mark = {StageMark::Kind::warning, 0, job->words};
        else if (job->state == JobState::finished)
            mark = {StageMark::Kind::done, 0, job->words};
    }
    return marks;
}

}  // namespace spd
