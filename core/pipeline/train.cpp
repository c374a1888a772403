#include "core/pipeline/train.h"

#include <fmt/format.h>

#include <charconv>

#include "core/base/error.h"
#include "core/base/machine.h"
#include "core/base/sha256.h"
#include "core/io/adapter_writer.h"
#include "core/model/causal_lm.h"
#include "core/pipeline/other_threads.h"
#include "core/pipeline/session.h"
#include "core/pipeline/train_data.h"
#include "core/train/memory_plan.h"
#include "core/train/run_folder.h"
#include "core/train/training_checkpoint.h"
#include "core/train/training_run.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

/// @param start  r and alpha are its, which are not the settings' where an adapter was handed in.
Json settingsJson(const TrainRequest& request, const LoraAdapter& start) {
    const TrainingSettings& settings = request.settings;
    return {{"epochs", settings.epochs},
            {"batch_size", settings.batch_size},
            {"lr", settings.lr},
            {"r", start.r},
            {"alpha", start.lora_alpha},
            {"dropout", settings.dropout},
            {"weight_decay", settings.weight_decay},
            {"max_grad_norm", settings.max_grad_norm},
            {"loss", name(settings.loss)},
            {"early_stop", request.early_stop},
            {"keep_best", request.keep_best}};
}

/// The filter's name and what it left out; null without one.
Json filterRecord(const TrainRequest& request, const TrainingData& data) {
    if (request.corpus_filter == CorpusFilter::none)
        return nullptr;
    Json record = {{"name", name(request.corpus_filter)}};
    record.update(data.filtered.toJson());
    return record;
}

/// What a run depends on. Neither recomputation nor how often it is saved changes a bit of it.
Json metaOf(const TrainRequest& request, const Session& session, const TrainingData& data,
            const LoraAdapter& start) {
    Json init = nullptr;
    if (!request.init_adapter.empty())
        init = sha256Hex(sha256OfFile(request.init_adapter / "adapter_config.json") +
                         sha256OfFile(request.init_adapter / "adapter_model.safetensors"));
    return {{"format_version", 1},
            {"stage", "train"},
            {"model", modelRecord(session)},
            {"tokenizer_sha256", session.tokenizer.sha256()},
            {"corpus_sha256", data.corpus_sha256},
            {"corpus_filter", filterRecord(request, data)},
            {"examples", data.train.size()},
            {"examples_sha256", idsSha256(data.train)},
            {"held_out", data.held_out.size()},
            {"held_out_sha256", idsSha256(data.held_out)},
            {"init_adapter_sha256", init},
            {"dtype", name(request.dtype)},
            {"seed", request.settings.seed},
            {"settings", settingsJson(request, start)}};
}

/// The adapter to start from, and what those that are written say beside their modules.
struct Start {
    LoraParameters parameters;
    LoraAdapter frame;
};

Start startOf(const TrainRequest& request, const Session& session) {
    const ModelConfig& config = session.checkpoint.config();
    const TrainingSettings& settings = request.settings;
    Start start;
    if (request.init_adapter.empty()) {
        start.parameters = LoraParameters::initial(config, settings.r, settings.alpha, settings.seed);
        start.frame.r = settings.r;
        start.frame.lora_alpha = settings.alpha;
    } else {
        start.frame = readAdapter(request.init_adapter, config);
        start.parameters = LoraParameters::of(start.frame, config);
        start.frame.modules.clear();
    }
    start.frame.lora_dropout = settings.dropout;
    nameBaseModel(start.frame, session.location);
    return start;
}

/// @throws Error io
void requireDisk(const TrainRequest& request, int64_t parameters) {
    constexpr int64_t kWritten = 3;  // two checkpoints stay while a third is written
    const int64_t needed = kWritten * checkpointBytes(parameters, request.keep_best) + 4 * parameters;
    const std::optional<int64_t> room = freeDiskBytes(request.out);
    if (room && *room < needed)
        throw Error(ErrorKind::io,
                    fmt::format("{}: checkpoints and adapter take {} MiB, {} MiB are free there",
                                printable(request.out.native(), 1000), needed >> 20, *room >> 20));
}

/// Whether activations are kept, and what that should take. @throws Error out_of_memory
bool planMemory(const TrainRequest& request, const ModelConfig& config, int64_t longest, int64_t parameters,
                TrainSummary& summary) {
    const TrainingMemory memory = trainingMemory(config, request.dtype, longest, parameters);
    const bool keep = keepActivations(request.settings.recompute, memory, readMachine().memory_available);
    requireMemory(memory.total(keep), "train",
                  keep ? "--recompute full needs less" : "--dtype bfloat16 or shorter sequences need less");
    summary.activations_kept = keep;
    summary.forecast_bytes = readProcessMemory().resident + memory.total(keep);
    return keep;
}

Json factsOf(const TrainRequest& request, const Json& meta) {
    return {
        {"settings_sha256", sha256Hex(meta.dump())},
        {"corpus_sha256", meta["corpus_sha256"]},
        {"examples_sha256", meta["examples_sha256"]},
        {"seed", request.settings.seed},
        {"noise", "initial weights, order and dropout are functions of the seed: no generator has a state"},
        {"program_version", request.program_version},
        {"threads", request.threads}};
}

double lossOfLine(std::string_view line) {
    return Json::parse(line).at("loss").get<double>();
}

void readLog(const std::string& log, TrainSummary& summary) {
    if (log.empty())
        return;
    const std::string_view lines(log.data(), log.size() - 1);  // without the last line end
    summary.first_loss = lossOfLine(lines.substr(0, lines.find('\n')));
    summary.last_loss = lossOfLine(lines.substr(lines.rfind('\n') + 1));
}

Json resultOf(const TrainSummary& summary) {
    return {{"format_version", 1},
            {"steps", summary.steps},
            {"planned_steps", summary.planned_steps},
            {"stopped_early", summary.stopped_early},
            {"adapter_step", summary.adapter_step},
            {"examples", summary.examples},
            {"held_out", summary.held_out},
            {"first_loss", summary.first_loss},
            {"last_loss", summary.last_loss},
            {kHeldOutLoss, summary.held_out_loss ? Json(*summary.held_out_loss) : Json()}};
}

/// Of a run that was done before. @throws Error file_format
void readResult(const Json& result, const std::filesystem::path& folder, TrainSummary& summary) {
    try {
        summary.was_complete = true;
        summary.steps = result.at("steps").get<int64_t>();
        summary.resumed_steps = summary.steps;
        summary.planned_steps = result.at("planned_steps").get<int64_t>();
        summary.stopped_early = result.at("stopped_early").get<bool>();
        summary.adapter_step = result.at("adapter_step").get<int64_t>();
        summary.first_loss = result.at("first_loss").get<double>();
        summary.last_loss = result.at("last_loss").get<double>();
        if (const Json& loss = result.at(kHeldOutLoss); !loss.is_null())
            summary.held_out_loss = loss.get<double>();
    } catch (const Json::exception& error) {
        throw Error::fileFormat((folder / "result.json").native(), "", error.what());
    }
}

/// Restores the newest sound checkpoint, where this run has one.
void goOn(const TrainRequest& request, const RunFolder& folder, const ModelConfig& config, TrainingRun& run,
          TrainSummary& summary, const JobContext& context) {
    if (!folder.isResumed())
        return;
    std::vector<std::string> damaged;
    std::optional<TrainingState> state = newestCheckpoint(folder.checkpoints(), config, damaged);
    for (const std::string& line : damaged) {
        context.say("warning: " + line);
        folder.note(line);
    }
    summary.resumed_steps = state ? state->step : 0;
    if (!folder.damage().empty()) {
        const std::string line =
            fmt::format("{}: {}", folder.damage(),
                        state ? fmt::format("written again from the checkpoint of step {}", state->step)
                              : std::string("trained again, there is no checkpoint to write it from"));
        context.say(fmt::format("warning: {}", line));
        folder.note(line);
    }
    folder.note(fmt::format("resumed behind step {}", summary.resumed_steps));
    if (!state)
        return;
    if (const std::string line = otherThreads("steps", state->threads, request.threads); !line.empty()) {
        context.say(line);
        folder.note(line);
    }
    run.restore(std::move(*state));
}

Json provenanceOf(const TrainRequest& request, const Json& meta, const TrainingData& data,
                  const TrainSummary& summary) {
    Json provenance = meta;
    provenance["program_version"] = request.program_version;
    provenance["steps"] = summary.adapter_step;
    provenance["corpus_made_by"] = data.made_by;
    return provenance;
}

void note(const TrainRequest& request, const RunFolder& folder, const Trainer& trainer,
          const TrainSummary& summary) {
    folder.note(trainer.assertNoIntervention());
    if (!summary.filtered.keeps.empty())
        folder.note(
            fmt::format("corpus filter {}: {}", name(request.corpus_filter), summary.filtered.describe()));
    folder.note(fmt::format("{} examples, {} steps; activations are {}, forecast {} MiB of memory",
                            summary.examples, trainer.steps(),
                            summary.activations_kept ? "kept" : "recomputed", summary.forecast_bytes >> 20));
}

}  // namespace

void TrainRequest::chooseHeldOut(const std::string& text) {
    const char* end = text.data() + text.size();
    double share = 0;
    const auto [stop, error] = std::from_chars(text.data(), end, share);
    if (error != std::errc() || stop != end) {
        held_out = text;
        return;
    }
    if (!(share > 0 && share < 1))
        throw Error(ErrorKind::invalid_argument, "--held-out: a share above 0 and below 1, or a file");
    held_out_fraction = share;
}

void TrainRequest::validate() const {
    const auto refuse = [](const std::string& rule) { throw Error(ErrorKind::invalid_argument, rule); };
    settings.validate();
    if (dtype == DType::float16)
        refuse("--dtype: the frozen weights are float32 or bfloat16 in training");
    if (!(held_out_fraction >= 0 && held_out_fraction < 1))
        refuse("--held-out: a share above 0 and below 1, or a file");
    if (checkpoint_every < 1)
        refuse("--checkpoint-every: must be a whole number from 1");
    if (early_stop < 0)
        refuse("--early-stop: must be a whole number of epochs from 1, or 0 for never");
    if ((early_stop > 0 || keep_best) && held_out_fraction == 0 && held_out.empty())
        refuse(fmt::format("{} needs --held-out", keep_best ? "--keep-best" : "--early-stop"));
}

TrainSummary trainAdapter(const TrainRequest& request, const JobContext& context) {
    request.validate();
    const Session session = Session::open(request.model, request.workspace, context);
    const ModelConfig& config = session.checkpoint.config();
    const TrainingData data = readTrainingData(request, session, context);
    Start start = startOf(request, session);
    const auto parameters = static_cast<int64_t>(start.parameters.values().size());
    const Json meta = metaOf(request, session, data, start.frame);
    RunFolder folder = RunFolder::open(request.out, meta, request.resume, request.overwrite);

    TrainSummary summary;
    summary.adapter = folder.adapter();
    summary.examples = static_cast<int64_t>(data.train.size());
    summary.filtered = data.filtered;
    summary.held_out = static_cast<int64_t>(data.held_out.size());
    if (folder.result()) {
        readResult(*folder.result(), request.out, summary);
        return summary;
    }
    requireDisk(request, parameters);
    setTorchThreads(request.threads);
    const bool keep = planMemory(request, config, data.longest(), parameters, summary);
    const CausalLm model = CausalLm::load(session.checkpoint, request.dtype, context);
    Trainer trainer(model, data.train, request.settings, std::move(start.parameters), keep);
    folder.begin();
    note(request, folder, trainer, summary);
    TrainingRun run(trainer, folder, config, data.held_out,
                    {request.checkpoint_every, request.early_stop, request.keep_best, request.retry_seconds,
                     std::move(start.frame), factsOf(request, meta), request.on_step});
    goOn(request, folder, config, run, summary, context);
    run.run(context);

    summary.steps = trainer.done();
    summary.planned_steps = trainer.steps();
    summary.stopped_early = run.stoppedEarly() && trainer.done() < trainer.steps();
    summary.adapter_step = run.adapterStep();
    summary.held_out_loss = run.heldOutLoss();
    summary.seconds = run.seconds();
    summary.tokens = run.tokens();
    readLog(run.log(), summary);
    run.finish(provenanceOf(request, meta, data, summary), resultOf(summary), context);
    summary.peak_bytes = readProcessMemory().peak;
    folder.note(fmt::format("done after {} steps; at most {} MiB of memory", summary.steps,
                            summary.peak_bytes >> 20));
    return summary;
}

}  // namespace spd
