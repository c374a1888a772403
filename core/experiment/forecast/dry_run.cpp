#include "core/experiment/forecast/dry_run.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "core/base/error.h"
#include "core/data/tasks/prompt_templates.h"
#include "core/experiment/forecast/data_sizes.h"
#include "core/experiment/forecast/known_models.h"
#include "core/experiment/projection_checks.h"
#include "core/experiment/stage_inputs.h"
#include "core/io/model_locator.h"
#include "core/text/tokenizer.h"

namespace spd {
namespace {

/// What is known of a model before its weights are read.
struct ModelShape {
    ModelConfig config;
    std::optional<Tokenizer> tokenizer;  ///< nothing where the model is not here
    std::string how_to_get;
};

ModelShape openShape(const std::string& path, const std::filesystem::path& workspace) {
    ModelShape shape;
    try {
        const ModelLocation location = locateModel(path, workspace);
        shape.config = readModelConfig(location.folder);
        shape.tokenizer = Tokenizer::open(location.folder);
        return shape;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::not_found)
            throw;
        const std::optional<ModelConfig> known = knownShape(path);
        if (!known)
            throw;
        shape.config = *known;
        shape.how_to_get = error.what();
        return shape;
    }
}

class DryRunner {
public:
    DryRunner(const std::filesystem::path& workspace, const MachineRates& rates, const MachineRates& other)
        : workspace_(workspace), rates_(rates), other_(other), templates_(PromptTemplates::open()) {}

    DryRun forecast(const ExperimentFile& file, const PlannedRun& run) {
        const ModelShape& shape = shapeOf(run.experiment.model.path);
        checkProjection(file, run, shape.config);
        DryRun dry;
        dry.name = run.name;
        dry.model = run.experiment.model.path;
        dry.is_here = shape.tokenizer.has_value();
        dry.how_to_get = shape.how_to_get;
        dry.sizes = sizesOf(run, shape);
        if (run.needsTraining())
            dry.corpus_filter = corpusFilterOf(run);
        dry.stages = forecastRun(run, shape.config, dry.sizes, rates_);
        dry.on_other_machine = forecastRun(run, shape.config, dry.sizes, other_);
        leaveOutShared(run, dry);
        return dry;
    }

private:
    const ModelShape& shapeOf(const std::string& path) {
        const auto found = shapes_.find(path);
        return found != shapes_.end() ? found->second
                                      : shapes_.emplace(path, openShape(path, workspace_)).first->second;
    }

    /// Runs that read the same data are counted once.
    const DataSizes& sizesOf(const PlannedRun& run, const ModelShape& shape) {
        std::string key =
            fmt::format("{} {} {}", run.experiment.model.path, run.needsSubspace(), run.needsTraining());
        for (const auto& [name, value] : settingsOf(run.experiment))
            if (name == "seed" || name.starts_with("task.") || name.starts_with("evaluate."))
                key += fmt::format("\n{}={}", name, value);
        const auto found = sizes_.find(key);
        if (found != sizes_.end())
            return found->second;
        const Tokenizer* tokenizer = shape.tokenizer ? &*shape.tokenizer : nullptr;
        return sizes_.emplace(key, countData(run, templates_, tokenizer, shape.config)).first->second;
    }

    /// A stage with the inputs of an earlier run's is done once. The hashes that stand for data and model
    /// follow from the settings here.
    void leaveOutShared(const PlannedRun& run, DryRun& dry) {
        const ModelFacts model{"", "", run.experiment.model.path, "", ""};
        nlohmann::ordered_json data = {{"seed", run.experiment.seed}};
        for (const auto& [name, value] : settingsOf(run.experiment))
            if (name.starts_with("task."))
                data[name] = value;
        const nlohmann::ordered_json calibrate = calibrateInputs(model, run, data);
        const std::string subspace = run.needsSubspace() ? calibrate.dump() : "";
        const nlohmann::ordered_json generate = generateInputs(model, run, data, subspace);
        for (size_t i = dry.stages.size(); i-- > 0;) {
            const std::string& stage = dry.stages[i].stage;
            const bool is_shared = (stage == "calibrate" && !done_.insert(subspace).second) ||
                                   (stage == "generate" && !done_.insert(generate.dump()).second);
            if (!is_shared)
                continue;
            dry.stages.erase(dry.stages.begin() + static_cast<std::ptrdiff_t>(i));
            dry.on_other_machine.erase(dry.on_other_machine.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }

    const std::filesystem::path& workspace_;
    const MachineRates& rates_;
    const MachineRates& other_;
    PromptTemplates templates_;
    std::map<std::string, ModelShape> shapes_;
    std::map<std::string, DataSizes> sizes_;
    std::set<std::string> done_;
};

}  // namespace

std::vector<DryRun> dryRun(const ExperimentFile& file, const std::filesystem::path& workspace,
                           const MachineRates& rates, const MachineRates& other) {
    DryRunner runner(workspace, rates, other);
    std::vector<DryRun> runs;
    for (const PlannedRun& run : planRuns(file))
        runs.push_back(runner.forecast(file, run));
    return runs;
}

}  // namespace spd
