#include "core/pipeline/experiment/run_stages.h"

#include <fmt/format.h>

#include <tuple>

#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/base/strict_json.h"
#include "core/data/json_lines.h"
#include "core/experiment/forecast/forecast.h"
#include "core/pipeline/calibrate.h"
#include "core/pipeline/evaluate.h"
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
            outcome.results.push_back(evaluate(i));
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
                spd::calibrate(context_.model.session(), calibrateRequest(), job("calibrate"));
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
            fromSubspace(),
            "corpus.jsonl"};
        const std::string folder = share(plan);
        corpus_ = journal_.experimentFolder() / folder / "corpus.jsonl";
        const FinishedStage stage = journal_.stage(plan, [&] {
            const fs::path prompts = corpus_.parent_path() / "prompts.jsonl";
            writeFileAtomically(prompts, promptLines(context_.inputs.training.prompts));
            CorpusRequest request = corpusRequest();
            request.prompts = prompts;
            request.out = corpus_;
            const CorpusSummary summary = generateCorpus(request, context_.model, job("generate"));
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
                       {{"corpus", corpus_sha256_, "", ""}},
                       "adapter_model.safetensors"};
        const std::string folder = "runs/" + journal_.name();
        const FinishedStage stage = journal_.stage(plan, [&] {
            context_.model.release();
            const TrainSummary summary = trainAdapter(trainRequest(), job("train"));
            const TrainingCurve curve = readTrainingCurve(journal_.folder() / "training_log.jsonl");
            return StageWork{{folder + "/adapter/adapter_model.safetensors",
                              folder + "/adapter/adapter_config.json", folder + "/training_log.jsonl"},
                             {{"first_loss", curve.first_loss}, {"last_loss", curve.last_loss}},
                             fmt::format("{} steps, loss {:.3f} -> {:.3f}", summary.steps, curve.first_loss,
                                         curve.last_loss)};
        });
        journal_.addMetrics(readTrainingCurve(journal_.folder() / "training_log.jsonl").metrics);
        adapter_ = journal_.folder() / "adapter";
        adapter_sha256_ = stage.sha256Of("adapter_model.safetensors");
        outcome.adapter = adapter_;
        outcome.first_loss = stage.summary.value("first_loss", 0.0);
        outcome.last_loss = stage.summary.value("last_loss", 0.0);
    }

    EvalResult evaluate(size_t index) {
        const Experiment::Evaluation& evaluation = experiment_.evaluate[index];
        const bool is_generating = evaluation.policy == "generating";
        const std::string name = evaluation.task + (is_generating ? "-generating" : "");
        const std::string folder = fmt::format("runs/{}/eval/{}", journal_.name(), name);
        const fs::path out = journal_.experimentFolder() / folder;
        StagePlan plan{"evaluate " + name,
                       "results",
                       journal_.folder() / "stages" / fmt::format("evaluate-{}.json", name),
                       {},
                       {},
                       "results.json"};
        EvaluateRequest request;
        request.questions = context_.inputs.questions[index];
        request.out = out;
        request.dtype = *parseDType(experiment_.model.dtype);
        request.settings.max_new_tokens = longestAnswer(evaluation);
        request.settings.batch = static_cast<int>(experiment_.generation.batch);
        request.settings.seed = static_cast<uint64_t>(experiment_.seed);
        request.overwrite = true;  // answers of another adapter are of no use
        if (is_generating) {
            request.settings.sampling = samplingSettings();
            request.chat = experiment_.generation.chat;
            if (context_.run.needsSubspace())
                request.intervention = projection();
            plan.made_from = fromSubspace();
        } else {
            request.settings.sampling.greedy = true;
            request.intervention.adapter = adapter_;
            if (!adapter_.empty())
                plan.made_from = {{"adapter", adapter_sha256_, "", ""}};
        }
        plan.inputs =
            evaluateInputs(context_.facts, context_.run, evaluation, request.questions.record,
                           is_generating ? "" : adapter_sha256_, is_generating ? subspace_sha256_ : "");
        fs::create_directories(out);
        journal_.stage(plan, [&] {
            const EvalResult result = evaluateQuestions(request, context_.model, job("evaluate " + name));
            return StageWork{
                {folder + "/results.json", fmt::format("{}/samples_{}.jsonl", folder, evaluation.task)},
                Json::object(),
                fmt::format("{} of {} right", result.correct, result.n)};
        });
        return recordResult(out, name);
    }

    /// What the database keeps of an evaluation: from the files, so that a skipped stage is recorded as well.
    EvalResult recordResult(const fs::path& out, const std::string& name) {
        const std::string file = (out / "results.json").string();
        const Json results = parseStrictJson(readFile(out / "results.json", size_t{1} << 24), file, {});
        const EvalResult result = evalResultFromJson(results.value("spd", Json()), file);
        std::vector<Metric> metrics = {{"eval/" + name + "/exact_match", 0, result.exactMatch(), 0},
                                       {"eval/" + name + "/n", 0, static_cast<double>(result.n), 0}};
        if (result.kl_tokens > 0)
            metrics.push_back({"eval/" + name + "/mean_kl_to_base", 0, result.mean_kl_to_base, 0});
        journal_.addMetrics(metrics);
        journal_.addExamples(readSamples(out / fmt::format("samples_{}.jsonl", result.task), name));
        return result;
    }

    static std::vector<EvalExample> readSamples(const fs::path& path, const std::string& task) {
        std::vector<EvalExample> examples;
        readJsonLines(path, [&](int64_t, const Json& sample) {
            EvalExample example;
            example.task = task;
            const Json& id = sample.at("doc").at("id");
            example.id = id.is_string() ? id.get<std::string>() : id.dump();
            example.gold = sample.at("target").get<std::string>();
            example.answer = sample.at("filtered_resps").at(0).get<std::string>();
            example.score = sample.at("exact_match").get<double>();
            examples.push_back(std::move(example));
        });
        return examples;
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
        request.settings.sampling = samplingSettings();
        request.dtype = *parseDType(experiment_.model.dtype);
        request.overwrite = true;  // the folder is named by these settings: what else lies in it is damaged
        if (context_.run.needsSubspace())
            request.intervention = projection();
        return request;
    }

    InterventionRequest projection() const {
        InterventionRequest request;
        request.subspace = subspace_;
        request.projection = projectionSettingsOf(experiment_.projection);
        return request;
    }

    SamplingSettings samplingSettings() const {
        const MethodSampling method = samplingOf(context_.run);
        SamplingSettings sampling;
        sampling.greedy = method.greedy;
        sampling.temperature = method.temperature;
        sampling.top_k = method.top_k;
        sampling.top_p = method.top_p;
        sampling.min_p = method.min_p;
        sampling.repetition_penalty = method.repetition_penalty;
        return sampling;
    }

    std::vector<LineageEdge> fromSubspace() const {
        if (subspace_sha256_.empty())
            return {};
        return {{"subspace", subspace_sha256_, "", ""}};
    }

    /// A link in the run's folder to what it shares, so that the folder tells all.
    void linkInRun(const fs::path& target, const char* name) {
        const fs::path link = journal_.folder() / name;
        std::error_code none;
        fs::remove(link, none);
        fs::create_symlink(fs::relative(target, journal_.folder()), link);
    }

    /// The caller's context, with the run's name before the phase.
    JobContext job(const std::string& stage) {
        JobContext job = context_.job;
        job.on_progress = [this, stage](Progress progress) {
            progress.phase = fmt::format("{}: {}", journal_.name(), stage);
            context_.job.report(progress);
        };
        return job;
    }

    /// Gives the stage its place in shared/ and makes the folder. @return it, from the experiment's folder
    std::string share(StagePlan& plan) {
        const std::string folder = "shared/" + sha256Hex(plan.inputs.dump()).substr(0, 16);
        fs::create_directories(journal_.experimentFolder() / folder);
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

ModelFacts modelFactsOf(const Session& session) {
    return {session.location.id, session.location.revision, configSha256(session.checkpoint),
            weightsFingerprint(session.checkpoint), session.tokenizer.sha256()};
}

void runStages(const RunContext& context, RunOutcome& outcome) {
    Stages(context).run(outcome);
}

}  // namespace spd
