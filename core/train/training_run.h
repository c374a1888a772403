#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/job_context.h"
#include "core/train/run_folder.h"
#include "core/train/trainer.h"
#include "core/train/training_checkpoint.h"

namespace spd {

/// What a run does besides steps.
struct RunPlan {
    int64_t checkpoint_every = 50;
    int64_t early_stop = 0;  ///< epochs without a better held-out loss; 0: never
    bool keep_best = false;
    double retry_seconds = 10;     ///< between looks at a full disk
    LoraAdapter frame;             ///< of the adapters that are written: all but the modules
    nlohmann::ordered_json facts;  ///< hashes, seeds, versions; into every state.json
    std::function<void(const nlohmann::ordered_json& line)> on_line = {};  ///< of the log; may be empty
};

/// Steps, checkpoints, log lines and held-out losses of one run in its folder, from wherever it stands to its
/// end. For one thread.
class TrainingRun {
public:
    /// All must outlive this object. `held_out` may be empty.
    TrainingRun(Trainer& trainer, RunFolder& folder, const ModelConfig& config,
                const std::vector<TrainingExample>& held_out, RunPlan plan);

    /// Goes on from a checkpoint. @throws Error internal when it is of another adapter
    void restore(TrainingState state);

    /// To the end; the last step is saved then. Stopped, the last finished step is saved; a loss that is not
    /// finite ends the run with the last good one saved; a full disk pauses it.
    /// @throws Error diverged, out_of_memory, io; Cancelled
    void run(const JobContext& context);

    /// Writes the adapter of the last or of the best step as a PEFT folder, then the result: from now on the
    /// run is done. @throws Error io; Cancelled
    void finish(const nlohmann::ordered_json& provenance, const nlohmann::ordered_json& result,
                const JobContext& context);

    bool isFinished() const;
    bool stoppedEarly() const;
    /// Steps behind the adapter that is written, and its held-out loss where it was measured.
    int64_t adapterStep() const;
    std::optional<double> heldOutLoss() const;
    /// training_log.jsonl so far.
    const std::string& log() const { return state_.log; }
    double seconds() const { return seconds_; }
    int64_t tokens() const { return tokens_; }

private:
    void runSteps(const JobContext& context);
    void conclude(const JobContext& context);
    void consider(double held_out_loss);
    void save(const JobContext& context);
    void saveBeforeLeaving(const JobContext& context);
    void write();
    void withRoom(const JobContext& context, const std::function<void()>& work) const;

    Trainer& trainer_;
    RunFolder& folder_;
    const ModelConfig& config_;
    const std::vector<TrainingExample>& held_out_;
    RunPlan plan_;
    TrainingState state_;     // its adapter and moments are the trainer's, filled in when it is written
    int64_t saved_step_ = 0;  // of the newest checkpoint
    double seconds_ = 0;
    int64_t tokens_ = 0;
};

}  // namespace spd
