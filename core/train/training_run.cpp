#include "core/train/training_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>
#include <utility>

#include "core/base/atomic_folder.h"
#include "core/base/error.h"
#include "core/io/adapter_writer.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

Json lineOf(const StepRecord& record) {
    return {{"step", record.step},
            {"epoch", record.epoch},
            {"loss", record.loss},
            {"lr", record.lr},
            {"grad_norm", record.grad_norm},
            {"tokens", record.tokens},
            {"tokens_per_second", record.tokens_per_second}};
}

/// Waits, unless the stop token says otherwise. @throws Cancelled
void wait(double seconds, const JobContext& context) {
    constexpr double kLook = 0.1;  // at the token
    for (double waited = 0; waited < seconds; waited += kLook) {
        context.checkStop();
        std::this_thread::sleep_for(std::chrono::duration<double>(std::min(kLook, seconds)));
    }
    context.checkStop();
}

}  // namespace

TrainingRun::TrainingRun(Trainer& trainer, RunFolder& folder, const ModelConfig& config,
                         const std::vector<TrainingExample>& held_out, RunPlan plan)
    : trainer_(trainer), folder_(folder), config_(config), held_out_(held_out), plan_(std::move(plan)) {}

void TrainingRun::restore(TrainingState state) {
    const LoraParameters values = LoraParameters::of(state.adapter, config_);
    trainer_.restore(state.step, {values.values().begin(), values.values().end()}, std::move(state.first),
                     std::move(state.second));
    state_ = std::move(state);
    saved_step_ = state_.step;
}

bool TrainingRun::stoppedEarly() const {
    return plan_.early_stop > 0 && state_.evaluations_without_gain >= plan_.early_stop;
}

bool TrainingRun::isFinished() const {
    return state_.pending.empty() && (trainer_.done() >= trainer_.steps() || stoppedEarly());
}

int64_t TrainingRun::adapterStep() const {
    return plan_.keep_best && state_.best ? state_.best->step : trainer_.done();
}

std::optional<double> TrainingRun::heldOutLoss() const {
    if (plan_.keep_best && state_.best)
        return state_.best->loss;
    return state_.last_held_out;
}

/// Does `work` again and again while the disk is full. @throws Error any other; Cancelled
void TrainingRun::withRoom(const JobContext& context, const std::function<void()>& work) const {
    for (bool paused = false;; paused = true) {
        try {
            work();
            if (paused)
                context.say("there is room on the disk again, training goes on");
            return;
        } catch (const Error& error) {
            if (!error.isDiskFull())
                throw;
            if (!paused)
                context.say(
                    fmt::format("{}: training is paused at step {} until there is room, tried again every "
                                "{:g} s; stopped now, --resume would go on from step {}",
                                error.what(), trainer_.done(), plan_.retry_seconds, saved_step_));
        }
        wait(plan_.retry_seconds, context);
    }
}

void TrainingRun::write() {
    state_.step = trainer_.done();
    state_.adapter = trainer_.parameters().adapter(trainer_.parameters().values(), plan_.frame);
    state_.first = trainer_.optimizer().firstMoments();
    state_.second = trainer_.optimizer().secondMoments();
    Json facts = {{"steps", trainer_.steps()},
                  {"epoch", state_.step / trainer_.stepsPerEpoch() + 1},
                  {"steps_of_epoch_done", state_.step % trainer_.stepsPerEpoch()}};
    facts.update(plan_.facts);
    writeCheckpoint(folder_.checkpoints(), state_, config_, facts);
    saved_step_ = state_.step;
    folder_.note(fmt::format("saved step {}", saved_step_));
}

void TrainingRun::save(const JobContext& context) {
    withRoom(context, [this] { write(); });
}

/// The last finished step, where that is not saved already. What fails now must not hide why the run ends.
void TrainingRun::saveBeforeLeaving(const JobContext& context) {
    if (trainer_.done() == 0 || trainer_.done() == saved_step_)
        return;
    try {
        write();
    } catch (const Error& error) {
        context.say(fmt::format("step {} cannot be saved ({}); --resume goes on from step {}",
                                trainer_.done(), error.what(), saved_step_));
    }
}

void TrainingRun::consider(double held_out_loss) {
    state_.last_held_out = held_out_loss;
    if (state_.best && held_out_loss >= state_.best->loss) {
        ++state_.evaluations_without_gain;
        return;
    }
    state_.evaluations_without_gain = 0;
    state_.best = {held_out_loss, trainer_.done(), {}};
    if (plan_.keep_best)
        state_.best->values = {trainer_.parameters().values().begin(), trainer_.parameters().values().end()};
}

/// The held-out loss at the end of an epoch, then the step's line. Stopped before that, the line is pending.
void TrainingRun::conclude(const JobContext& context) {
    Json line = Json::parse(state_.pending);
    std::optional<double> held_out;
    if (!held_out_.empty() && trainer_.done() % trainer_.stepsPerEpoch() == 0) {
        held_out = trainer_.meanLoss(held_out_, context);
        line[kHeldOutLoss] = *held_out;
    }
    const std::string text = line.dump() + "\n";
    withRoom(context, [&] { folder_.appendLog(text); });
    state_.log += text;
    state_.pending.clear();
    if (plan_.on_line)
        plan_.on_line(line);
    if (held_out)
        consider(*held_out);
}

void TrainingRun::runSteps(const JobContext& context) {
    if (!state_.pending.empty())
        conclude(context);
    while (!isFinished()) {
        const auto start = std::chrono::steady_clock::now();
        const StepRecord record = trainer_.step(context);
        seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        tokens_ += record.tokens;
        state_.pending = lineOf(record).dump();
        conclude(context);
        context.report({"train", record.step, trainer_.steps(), record.tokens_per_second,
                        fmt::format("loss {:.4f}, lr {:.3g}", record.loss, record.lr)});
        if (record.step % plan_.checkpoint_every == 0 && !isFinished())
            save(context);
    }
    if (saved_step_ != trainer_.done())
        save(context);
}

void TrainingRun::run(const JobContext& context) {
    withRoom(context, [this] { folder_.startLog(state_.log); });
    context.report({"train", trainer_.done(), trainer_.steps()});
    try {
        runSteps(context);
    } catch (const Cancelled&) {
        saveBeforeLeaving(context);
        folder_.note(fmt::format("stopped after step {}", trainer_.done()));
        throw;
    } catch (const Error& error) {
        folder_.note(error.what());
        if (error.kind() == ErrorKind::io)
            throw Error(ErrorKind::io,
                        fmt::format("{}; --resume goes on from step {}", error.what(), saved_step_));
        saveBeforeLeaving(context);
        throw;
    }
}

void TrainingRun::finish(const Json& provenance, const Json& result, const JobContext& context) {
    const LoraParameters& parameters = trainer_.parameters();
    const bool best = plan_.keep_best && state_.best;
    const LoraAdapter adapter = best ? parameters.adapter(state_.best->values, plan_.frame)
                                     : parameters.adapter(parameters.values(), plan_.frame);
    withRoom(context, [&] {
        AtomicFolder files(folder_.adapter(), kProvenance);
        writeAdapterFiles(files.path(), adapter, config_, provenance);
        files.commit();
    });
    withRoom(context, [&] { folder_.finish(result); });
}

}  // namespace spd
