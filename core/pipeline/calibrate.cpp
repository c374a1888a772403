#include "core/pipeline/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "core/base/seconds_since.h"
#include "core/base/sha256.h"
#include "core/calibrate/calibration_folder.h"
#include "core/calibrate/gradients.h"
#include "core/calibrate/gram_sums.h"
#include "core/io/memory_forecast.h"
#include "core/model/causal_lm.h"
#include "core/pipeline/other_threads.h"
#include "core/subspace/subspace_folder.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

/// Of ids, tokens and the positions that are in the loss.
std::string examplesSha256(const CalibrateRequest& request) {
    std::string digests;
    const auto add = [&](const auto& values) {
        digests +=
            sha256Hex({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0])});
    };
    for (const CalibrationExample& example : request.examples) {
        digests += toText(example.id);
        add(example.input_ids);
        add(lossPositions(example, request.settings.loss));
    }
    return sha256Hex(digests);
}

/// What a calibration depends on. Two with equal metas, on as many threads, write equal files.
Json calibrationMeta(const Session& session, const CalibrateRequest& request) {
    return {{"format_version", 1},
            {"stage", "calibrate"},
            {"model", modelRecord(session)},
            {"tokenizer_sha256", session.tokenizer.sha256()},
            {"source", request.source},
            {"examples", request.examples.size()},
            {"examples_sha256", examplesSha256(request)},
            {"loss", name(request.settings.loss)},
            {"site", name(request.settings.site)},
            {"per_head", request.settings.per_head},
            {"layers", request.settings.layers},
            {"dtype", name(request.dtype)}};
}

/// @param in_memory  the weights are there already. @throws Error out_of_memory
void checkMemory(const Session& session, const CalibrateRequest& request, bool in_memory) {
    size_t longest = 0;
    for (const CalibrationExample& example : request.examples)
        longest = std::max(longest, example.input_ids.size());
    const ModelConfig& config = session.checkpoint.config();
    const int64_t parameters = parameterCount(config);
    ForecastSettings settings;
    settings.example_tokens = static_cast<int64_t>(longest);
    const int64_t all_grams = 2 * config.num_hidden_layers * config.kvWidth() * config.kvWidth() * 8;
    const int64_t activations =
        forecastMemory(config, settings).calibrate - parameters * bytesPerElement(DType::float32) - all_grams;
    // Nothing is kept below the lowest layer.
    const int64_t recorded = config.num_hidden_layers - request.settings.layers.front();
    requireMemory((in_memory ? 0 : parameters * bytesPerElement(request.dtype)) +
                      activations / config.num_hidden_layers * recorded + gramBytes(config, request.settings),
                  "calibrate", "fewer --layers, shorter examples or --dtype bfloat16 need less");
}

/// One start of a calibration.
class CalibrateJob {
public:
    /// @param resident  of the session; null: weights of its own.
    CalibrateJob(const Session& session, ResidentModel* resident, const CalibrateRequest& request,
                 const JobContext& context)
        : session_(session), resident_(resident), request_(request), context_(context) {}

    CalibrateSummary run() {
        const ModelConfig& config = session_.checkpoint.config();
        CalibrationFolder folder =
            CalibrationFolder::open(request_.out, calibrationMeta(session_, request_), request_.overwrite);
        if (folder.complete()) {
            summary_.subspace = readSubspace(request_.out);
            summary_.resumed = static_cast<int64_t>(request_.examples.size());
            return std::move(summary_);
        }
        const bool in_memory = resident_ != nullptr && resident_->holdsCausal(request_.dtype);
        if (resident_ != nullptr && !in_memory)
            resident_->release();
        checkMemory(session_, request_, in_memory);
        GramSums sums = folder.takeUp(emptySums(config, request_.settings));
        summary_.resumed = static_cast<int64_t>(sums.examples.size());
        if (sums.examples.size() < request_.examples.size()) {
            addExamples(sums, folder);
            folder.save(sums);
        }
        describe();
        summary_.subspace.examples = sums.examples;
        const Clock::time_point start = Clock::now();
        summary_.subspace.targets = spectraOf(std::move(sums), request_.threads, context_);
        summary_.decompose_seconds = secondsSince(start);
        folder.finish(summary_.subspace);
        return std::move(summary_);
    }

private:
    /// The examples that the sums lack.
    void addExamples(GramSums& sums, CalibrationFolder& folder) {
        const Clock::time_point start = Clock::now();
        if (const std::string line = otherThreads("examples", sums.threads, request_.threads); !line.empty())
            context_.say(line);
        sums.threads = request_.threads;
        setTorchThreads(request_.threads);
        std::optional<CausalLm> own;
        const CausalLm& model =
            resident_ != nullptr ? resident_->causal(request_.dtype, context_)
                                 : own.emplace(CausalLm::load(session_.checkpoint, request_.dtype, context_));
        summary_.open_seconds = secondsSince(start);
        const Clock::time_point opened = Clock::now();
        Clock::time_point saved = opened;
        size_t saved_examples = sums.examples.size();
        const auto total = static_cast<int64_t>(request_.examples.size());
        try {
            while (sums.examples.size() < request_.examples.size()) {
                const CalibrationExample& example = request_.examples[sums.examples.size()];
                const double norm = addExample(model, example, request_.settings, sums, context_);
                if (request_.on_example)
                    request_.on_example(
                        {static_cast<int64_t>(sums.examples.size()) - 1, sums.examples.back(), norm});
                summary_.tokens += static_cast<int64_t>(example.input_ids.size());
                summary_.gradient_seconds = secondsSince(opened);
                context_.report({"calibrate", static_cast<int64_t>(sums.examples.size()), total,
                                 static_cast<double>(summary_.tokens) / summary_.gradient_seconds});
                if (secondsSince(saved) < request_.seconds_to_save)
                    continue;
                folder.save(sums);
                saved = Clock::now();
                saved_examples = sums.examples.size();
            }
        } catch (const Cancelled&) {
            if (sums.examples.size() > saved_examples)
                folder.save(sums);
            throw;
        }
    }

    void describe() {
        Subspace& subspace = summary_.subspace;
        subspace.model_id = session_.location.id;
        subspace.model_revision = session_.location.revision;
        subspace.config_sha256 = configSha256(session_.checkpoint);
        subspace.tokenizer_sha256 = session_.tokenizer.sha256();
        subspace.site = request_.settings.site;
        subspace.per_head = request_.settings.per_head;
        subspace.loss = name(request_.settings.loss);
        subspace.dtype = request_.dtype;
        subspace.num_hidden_layers = session_.checkpoint.config().num_hidden_layers;
        subspace.layers = request_.settings.layers;
    }

    const Session& session_;
    ResidentModel* resident_;
    const CalibrateRequest& request_;
    const JobContext& context_;
    CalibrateSummary summary_;
};

CalibrateSummary measure(const Session& session, ResidentModel* resident, const CalibrateRequest& request,
                         const JobContext& context) {
    checkFits(request.settings, session.checkpoint.config());
    if (request.examples.empty())
        throw Error(ErrorKind::invalid_argument, "there are no calibration examples");
    return CalibrateJob(session, resident, request, context).run();
}

}  // namespace

CalibrateSummary calibrate(const Session& session, const CalibrateRequest& request,
                           const JobContext& context) {
    return measure(session, nullptr, request, context);
}

CalibrateSummary calibrate(ResidentModel& model, const CalibrateRequest& request, const JobContext& context) {
    return measure(model.session(), &model, request, context);
}

}  // namespace spd
