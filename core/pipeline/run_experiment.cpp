#include "core/pipeline/run_experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>

#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/base/files.h"
#include "core/calibrate/calibration_settings.h"
#include "core/experiment/projection_checks.h"
#include "core/experiment/run_inputs.h"
#include "core/experiment/run_plan.h"
#include "core/pipeline/experiment/run_journal.h"
#include "core/pipeline/experiment/run_stages.h"
#include "core/pipeline/resident_model.h"
#include "core/store/run_store.h"

namespace spd {
namespace {

namespace fs = std::filesystem;

/// All runs of one experiment, one after the other, on one resident model.
class ExperimentRunner {
public:
    ExperimentRunner(const ExperimentRequest& request, const JobContext& context,
                     const std::function<void(const StageOutcome&)>& on_stage)
        : request_(request), context_(context), on_stage_(on_stage), templates_(PromptTemplates::open()) {}

    ExperimentOutcome run() {
        const ExperimentFile file = readExperiment(request_.file);
        const std::vector<PlannedRun> runs = planRuns(file);
        checkInputs(file, runs);
        const std::string& name = runs.front().experiment.name;
        const std::string identity = identityOf(file, runs);
        if (request_.resume)
            requireBegun(name, identity);
        RunStore store = RunStore::open(request_.workspace);
        outcome_.notices = store.notices();
        const ExperimentRecord experiment = begin(store, name, identity);
        for (const PlannedRun& run : runs)
            outcome_.runs.push_back(runOne(store, experiment, run));
        return std::move(outcome_);
    }

private:
    /// Every run's model and data are opened before the first is begun: a mistake in the last of sixty runs
    /// shows now, not tomorrow. @throws Error with a line for each that fails
    void checkInputs(const ExperimentFile& file, const std::vector<PlannedRun>& runs) {
        std::vector<std::string> problems;
        std::optional<ErrorKind> kind;
        for (const PlannedRun& run : runs) {
            context_.checkStop();
            try {
                ResidentModel& model = modelOf(run);
                const ModelConfig& config = model.session().checkpoint.config();
                checkProjection(file, run, config);
                checkCalibration(run, config);
                readRunInputs(run, templates_, model.session().tokenizer, config);
            } catch (const Error& error) {
                kind = kind.value_or(error.kind());
                const std::string line = error.what();
                if (std::find(problems.begin(), problems.end(), line) == problems.end())
                    problems.push_back(line);
            }
        }
        if (problems.empty())
            return;
        const std::string more =
            problems.size() > 1 ? fmt::format(" (and {} more)", problems.size() - 1) : std::string();
        throw Error(*kind, problems.front() + more).withDetails(problems);
    }

    /// What the model decides and the file could not be refused for: layers and sites.
    static void checkCalibration(const PlannedRun& run, const ModelConfig& config) {
        if (!run.needsSubspace())
            return;
        const Experiment::Calibration& calibration = run.experiment.calibration;
        checkFits({parseCalibrationLoss(calibration.loss), parseKvSite(calibration.site),
                   calibration.per_head, parseLayers(calibration.layers, config.num_hidden_layers)},
                  config);
    }

    /// Looked at on the disk: a refusal leaves no database behind.
    void requireBegun(const std::string& name, const std::string& identity) const {
        std::error_code none;
        if (!fs::exists(request_.workspace / "experiments" / RunStore::experimentId(name, identity) /
                            "experiment.toml",
                        none))
            throw Error(
                ErrorKind::invalid_argument,
                fmt::format("--resume: experiment {} was not begun in this workspace", printable(name)));
    }

    ExperimentRecord begin(RunStore& store, const std::string& name, const std::string& identity) {
        const ExperimentRecord experiment = store.beginExperiment(name, identity);
        outcome_.id = experiment.id;
        outcome_.folder = store.workspace() / "experiments" / experiment.id;
        fs::create_directories(outcome_.folder / "runs");
        lock_ = FileLock::tryLock(outcome_.folder / "experiment.lock");
        if (!lock_)
            throw Error(ErrorKind::invalid_argument,
                        fmt::format("experiment {} is being run by another process", experiment.id));
        writeFileAtomically(outcome_.folder / "experiment.toml", identity);
        return experiment;
    }

    RunOutcome runOne(RunStore& store, const ExperimentRecord& experiment, const PlannedRun& run) {
        NewRun row;
        row.experiment = experiment.id;
        row.method = name(run.method);
        row.seed = run.experiment.seed;
        row.point = run.point;
        row.folder = outcome_.folder / "runs" / run.name;
        RunJournal journal(store, outcome_.folder, row, [&](const StageOutcome& stage) {
            outcome_.stages.push_back(stage);
            if (on_stage_)
                on_stage_(stage);
        });
        journal.setParams(run.settings);
        RunOutcome outcome;
        outcome.id = journal.id();
        outcome.name = run.name;
        outcome.method = run.method;
        outcome.folder = journal.folder();
        try {
            ResidentModel& model = modelOf(run);
            const RunInputs inputs = readRunInputs(run, templates_, model.session().tokenizer,
                                                   model.session().checkpoint.config());
            const ModelFacts facts = modelFactsOf(model.session());
            runStages({run, inputs, facts, model, journal, context_, request_}, outcome);
            journal.end(RunStatus::finished);
        } catch (const Cancelled&) {
            journal.end(RunStatus::killed);
            throw;
        } catch (const std::exception& error) {
            outcome.error = reasonOf(error);
            journal.end(RunStatus::failed, outcome.error);
        }
        return outcome;
    }

    /// In one line, whatever threw it.
    static std::string reasonOf(const std::exception& error) {
        const std::string text = error.what();
        if (dynamic_cast<const Error*>(&error) != nullptr)
            return text;
        if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr)
            return "out of memory";
        return fmt::format("internal error: {}", printable(text.substr(0, text.find('\n')), 500));
    }

    /// The checkpoint of a run; the one that was used last stays open.
    ResidentModel& modelOf(const PlannedRun& run) {
        if (!model_ || model_path_ != run.experiment.model.path) {
            model_.reset();
            model_ = std::make_unique<ResidentModel>(
                Session::open(run.experiment.model.path, request_.workspace, context_), request_.threads);
            model_path_ = run.experiment.model.path;
        }
        return *model_;
    }

    const ExperimentRequest& request_;
    const JobContext& context_;
    const std::function<void(const StageOutcome&)>& on_stage_;
    PromptTemplates templates_;
    std::unique_ptr<ResidentModel> model_;
    std::string model_path_;
    std::optional<FileLock> lock_;
    ExperimentOutcome outcome_;
};

}  // namespace

ExperimentOutcome runExperiment(const ExperimentRequest& request, const JobContext& context,
                                const std::function<void(const StageOutcome&)>& on_stage) {
    return ExperimentRunner(request, context, on_stage).run();
}

}  // namespace spd
