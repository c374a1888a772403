#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/data/curation/corpus_filter.h"
#include "core/train/training_settings.h"

namespace spd {

/// Everything that decides an adapter, and how it is computed.
struct TrainRequest {
    std::string model;  ///< MODEL as locateModel() takes it
    std::filesystem::path workspace;
    std::filesystem::path corpus;                     ///< JSON Lines, see core/data/training_examples.h
    CorpusFilter corpus_filter = CorpusFilter::none;  ///< completions that are not trained on
    std::filesystem::path out;                        ///< folder; made when its parent is there
    TrainingSettings settings;
    std::filesystem::path init_adapter;  ///< start from this PEFT folder (r, alpha and modules are its);
                                         ///< empty: a new one
    double held_out_fraction = 0;        ///< of the corpus, not trained on but measured after each epoch
    std::filesystem::path held_out;      ///< or a file of its own; both empty: nothing is measured
    int64_t early_stop = 0;              ///< epochs without a better held-out loss; 0: never
    bool keep_best = false;              ///< the adapter is the epoch's with the best held-out loss
    int64_t checkpoint_every = 50;       ///< optimizer steps; also at the end and when stopped
    DType dtype = DType::float32;        ///< of the frozen weights: float32 or bfloat16
    int threads = 1;                     ///< other threads, other last digits
    double retry_seconds = 10;           ///< between looks at a full disk
    bool resume = false;
    bool overwrite = false;
    std::string program_version;  ///< goes into the records
    /// Gets each finished step's line of training_log.jsonl; may be empty.
    std::function<void(const nlohmann::ordered_json&)> on_step = {};

    /// A number is a share of the corpus, anything else a file. @throws Error invalid_argument
    void chooseHeldOut(const std::string& text);

    /// @throws Error invalid_argument, naming the option
    void validate() const;
};

/// What happened, for the user and for scripts.
struct TrainSummary {
    std::filesystem::path adapter;
    int64_t examples = 0;     ///< trained on
    FilteredCorpus filtered;  ///< `keeps` is empty without a filter
    int64_t held_out = 0;
    int64_t steps = 0;  ///< optimizer steps behind the adapter's run
    int64_t planned_steps = 0;
    int64_t resumed_steps = 0;  ///< of these done by an earlier process
    bool was_complete = false;  ///< nothing was left to do
    bool stopped_early = false;
    double first_loss = 0;  ///< of the first and of the last step
    double last_loss = 0;
    std::optional<double> held_out_loss;  ///< of the adapter that was written
    int64_t adapter_step = 0;             ///< steps behind that adapter: fewer with keep_best
    bool activations_kept = true;
    int64_t forecast_bytes = 0;  ///< memory of the process
    int64_t peak_bytes = 0;      ///< as measured
    double seconds = 0;          ///< in optimizer steps
    int64_t tokens = 0;          ///< counted in these seconds
};

/// Trains a LoRA adapter on a corpus (paper Eq. 14). In OUT: adapter/ (PEFT) and result.json when it is done;
/// training_log.jsonl, a line a step; log.txt; train.meta.json, what made it; checkpoints/. Killed at any
/// moment, a request with `resume` goes on and ends with the same adapter and the same losses. A full disk
/// pauses: said once, tried again every 10 s. The corpus is checked before anything is written.
/// @throws Error invalid_argument (another request's folder), file_format, diverged, out_of_memory, io;
/// Cancelled, with the last finished step saved.
TrainSummary trainAdapter(const TrainRequest& request, const JobContext& context);

}  // namespace spd
