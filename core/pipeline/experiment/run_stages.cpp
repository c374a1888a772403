#include "core/pipeline/experiment/run_stages.h"

#include <fmt/format.h>

#include <tuple>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/pipeline/calibrate.h"
#include "core/pipeline/experiment/evaluation_stage.h"
#include "core/pipeline/experiment/training_curve.h"
#include "core/pipeline/generate_corpus.h"
#include "core/pipeline/train.h"
#include "core/subspace/subspace_folder.h"

namespace spd {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The stages of one run. What several runs make alike lies in shared/HASH, HASH being that of its inputs.
class Stages {
public:
    explicit Stages(const RunContext& context)
        : context_(context), experiment_(context.run.experiment), journal_(context.journal) {}

    void run(RunOutcome& outcome) {
        if (context_.run.needsSubspace())
            calibrate();
        if (context_.run.needsTraining()) {
            generate();
            train(outcome);
        }
        for (size_t i = 0; i < experiment_.evaluate.size(); ++i)
            outcome.results.push_back(
                runEvaluation(context_, i, {subspace_, subspace_sha256_, adapter_, adapter_sha256_}));
    }

private:
    void calibrate() {
        StagePlan plan{
            "calibrate", "subspace",
            {},          calibrateInputs(context_.facts, context_.run, context_.inputs.calibration.record),
            {},          "subspace.safetensors"};
        const std::string folder = share(plan);
        subspace_ = journal_.experimentFolder() / folder / "subspace";
        const FinishedStage stage = journal_.stage(plan, [&] {
            context_.model.release();  // calibration reads the weights in a type of its own
            const CalibrateSummary summary =
                spd::calibrate(context_.model.session(), calibrateRequest(), stageJob(context_, "calibrate"));
            return StageWork{{folder + "/subspace/subspace.safetensors", folder + "/subspace/subspace.json"},
                             {{"examples", summary.subspace.examples.size()}},
                             fmt::format("{} examples, {} layers", summary.subspace.examples.size(),
                                         summary.subspace.layers.size())};
        });
        subspace_sha256_ = stage.sha256Of("subspace.safetensors");
    }

    void generate() {
        StagePlan plan{
            "generate",
            "corpus",
            {},
            generateInputs(context_.facts, context_.run, context_.inputs.training.record, subspace_sha256_),
            madeFrom("subspace", subspace_sha256_),
            "corpus.jsonl"};
        const std::string folder = share(plan);
        corpus_ = journal_.experimentFolder() / folder / "corpus.jsonl";
        const FinishedStage stage = journal_.stage(plan, [&] {
            const fs::path prompts = corpus_.parent_path() / "prompts.jsonl";
            writeFileAtomically(prompts, promptLines(context_.inputs.training.prompts));
            CorpusRequest request = corpusRequest();
            request.prompts = prompts;
            request.out = corpus_;
            const CorpusSummary summary =
                generateCorpus(request, context_.model, stageJob(context_, "generate"));
            return StageWork{{folder + "/corpus.jsonl", folder + "/corpus.meta.json"},
                             {{"prompts", summary.prompts}},
                             fmt::format("{} completions", summary.prompts)};
        });
        corpus_sha256_ = stage.sha256Of("corpus.jsonl");
        linkInRun(corpus_, "corpus.jsonl");
    }

    void train(RunOutcome& outcome) {
        StagePlan plan{"train",
                       "adapter",
                       journal_.folder() / "stages/train.json",
                       trainInputs(context_.facts, context_.run, corpus_sha256_),
                       madeFrom("corpus", corpus_sha256_),
                       "adapter_model.safetensors"};
        const std::string folder = "runs/" + journal_.name();
        const FinishedStage stage = journal_.stage(plan, [&] {
            context_.model.release();
            const TrainSummary summary = trainAdapter(trainRequest(), stageJob(context_, "train"));
            const TrainingCurve curve = readTrainingCurve(journal_.folder() / "training_log.jsonl");
            StageWork work{{folder + "/adapter/adapter_model.safetensors",
                            folder + "/adapter/adapter_config.json", folder + "/training_log.jsonl"},
                           {{"first_loss", curve.first_loss}, {"last_loss", curve.last_loss}},
                           fmt::format("{} steps, loss {:.3f} -> {:.3f}", summary.steps, curve.first_loss,
                                       curve.last_loss)};
            if (!summary.filtered.keeps.empty()) {
                work.summary["corpus"] = summary.filtered.toJson();
                work.result += fmt::format("; {}", summary.filtered.describe());
            }
            return work;
        });
        journal_.addMetrics(readTrainingCurve(journal_.folder() / "training_log.jsonl").metrics);
        adapter_ = journal_.folder() / "adapter";
        adapter_sha256_ = stage.sha256Of("adapter_model.safetensors");
        outcome.adapter = adapter_;
        outcome.first_loss = stage.summary.value("first_loss", 0.0);
        outcome.last_loss = stage.summary.value("last_loss", 0.0);
    }

    CalibrateRequest calibrateRequest() const {
        const Experiment::Calibration& settings = experiment_.calibration;
        const ModelConfig& config = context_.model.session().checkpoint.config();
        CalibrateRequest request;
        request.out = subspace_;
        request.examples = context_.inputs.calibration.examples;
        request.settings = {parseCalibrationLoss(settings.loss), parseKvSite(settings.site),
                            settings.per_head, parseLayers(settings.layers, config.num_hidden_layers)};
        request.source = context_.inputs.calibration.record;
        request.dtype = *parseDType(settings.dtype);
        request.threads = context_.request.threads;
        request.overwrite = true;
        return request;
    }

    TrainRequest trainRequest() const {
        const Experiment::Training& settings = experiment_.training;
        TrainRequest request;
        request.model = experiment_.model.path;
        request.workspace = context_.request.workspace;
        request.corpus = corpus_;
        request.corpus_filter = corpusFilterOf(context_.run);
        request.out = journal_.folder();
        request.settings.epochs = settings.epochs;
        request.settings.batch_size = settings.batch_size;
        request.settings.lr = settings.lr;
        request.settings.r = settings.r;
        request.settings.alpha = settings.alpha;
        request.settings.dropout = settings.dropout;
        request.settings.weight_decay = settings.weight_decay;
        request.settings.loss = parseCountedTokens(settings.loss).value();
        request.settings.recompute = parseRecompute(settings.recompute).value();
        request.settings.seed = static_cast<uint64_t>(experiment_.seed);
        request.checkpoint_every = settings.checkpoint_every;
        request.dtype = *parseDType(experiment_.model.dtype);
        request.threads = context_.request.threads;
        request.resume = true;     // goes on where the same training was stopped,
        request.overwrite = true;  // and replaces another one's
        request.program_version = context_.request.program_version;
        return request;
    }

    CorpusRequest corpusRequest() const {
        CorpusRequest request;
        request.model = context_.model.session().location.id;
        request.chat = experiment_.generation.chat;
        request.settings.max_new_tokens = experiment_.generation.max_new_tokens;
        request.settings.batch = static_cast<int>(experiment_.generation.batch);
        request.settings.seed = static_cast<uint64_t>(experiment_.seed);
        request.settings.sampling = samplingOfRun(context_.run);
        request.dtype = *parseDType(experiment_.model.dtype);
        request.overwrite = true;  // the folder is named by these settings: what else lies in it is damaged
        if (context_.run.needsSubspace())
            request.intervention = {subspace_, projectionSettingsOf(experiment_.projection), {}};
        return request;
    }

    /// A link in the run's folder to what it shares, so that the folder tells all.
    void linkInRun(const fs::path& target, const char* name) {
        const fs::path link = journal_.folder() / name;
        std::error_code error;
        fs::remove(link, error);
        fs::create_symlink(target.lexically_relative(journal_.folder()), link, error);
        if (error)
            throw Error(ErrorKind::io, fmt::format("{}: cannot make the link: {}",
                                                   printable(link.native(), 1000), error.message()));
    }

    /// Gives the stage its place in shared/ and makes the folder. @return it, from the experiment's folder
    std::string share(StagePlan& plan) {
        const std::string folder = "shared/" + sha256Hex(plan.inputs.dump()).substr(0, 16);
        makeFolders(journal_.experimentFolder() / folder);
        plan.record = journal_.experimentFolder() / folder / "stage.json";
        return folder;
    }

    const RunContext& context_;
    const Experiment& experiment_;
    RunJournal& journal_;
    fs::path subspace_;
    std::string subspace_sha256_;
    fs::path corpus_;
    std::string corpus_sha256_;
    fs::path adapter_;
    std::string adapter_sha256_;
};

}  // namespace

ProjectionSettings projectionSettingsOf(const Experiment::Projection& projection) {
    ProjectionSettings settings;
    settings.layers = projection.layers;
    settings.rank_rule = projection.rank_rule;
    settings.project = projection.project;
    settings.strength = projection.strength;
    std::tie(settings.control, settings.control_seed) = parseControl(projection.control).value();
    settings.when = parseProjectWhen(projection.when).value();
    if (!projection.apply.empty())
        settings.apply = parseProjectApply(projection.apply).value();
    settings.allow_arbitrary = projection.allow_arbitrary;
    return settings;
}

SamplingSettings samplingOfRun(const PlannedRun& run) {
    const MethodSampling method = samplingOf(run);
    SamplingSettings sampling;
    sampling.greedy = method.greedy;
    sampling.temperature = method.temperature;
    sampling.top_k = method.top_k;
    sampling.top_p = method.top_p;
    sampling.min_p = method.min_p;
    sampling.repetition_penalty = method.repetition_penalty;
    return sampling;
}

JobContext stageJob(const RunContext& context, const std::string& stage) {
    JobContext job = context.job;
    job.on_progress = [&context, stage](Progress progress) {
        progress.phase = fmt::format("{}: {}", context.journal.name(), stage);
        context.job.report(progress);
    };
    return job;
}

ModelFacts modelFactsOf(const Session& session) {
    return {session.location.id, session.location.revision, configSha256(session.checkpoint),
            weightsFingerprint(session.checkpoint), session.tokenizer.sha256()};
}

void runStages(const RunContext& context, RunOutcome& outcome) {
    Stages(context).run(outcome);
}

}  // namespace spd
