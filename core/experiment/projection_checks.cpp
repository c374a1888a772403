#include "core/experiment/projection_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/subspace/projection.h"
#include "core/subspace/selection/rank_rule.h"

namespace spd {
namespace {

/// Those that selectProjection() will take. @throws Error invalid_argument
std::vector<int64_t> usedLayers(const Experiment& experiment, const std::vector<int64_t>& measured,
                                int64_t num_hidden_layers) {
    const std::string& setting = experiment.projection.layers;
    const bool all_measured = static_cast<int64_t>(measured.size()) == num_hidden_layers;
    if (setting.empty())
        return all_measured ? parseLayers("last_mid", num_hidden_layers) : measured;
    std::vector<int64_t> layers = parseLayers(setting, num_hidden_layers);
    for (const int64_t layer : layers)
        if (!std::binary_search(measured.begin(), measured.end(), layer))
            throw Error(ErrorKind::invalid_argument,
                        fmt::format("layer {} is not measured: calibration.layers = \"{}\" is {}", layer,
                                    experiment.calibration.layers, fmt::join(measured, ", ")));
    return layers;
}

/// @throws Error invalid_argument; of the rank file
void checkRanks(const Experiment& experiment, const std::vector<int64_t>& layers, const ModelConfig& config) {
    const RankRule rule = RankRule::parse(experiment.projection.rank_rule);
    if (!rule.isFixed())
        return;
    const int64_t width = experiment.calibration.per_head ? config.head_dim : config.kvWidth();
    for (const int64_t layer : layers)
        for (const KvStream stream : {KvStream::k, KvStream::v}) {
            const KvTarget target = {layer, stream};
            if (experiment.projection.project != "both" && experiment.projection.project != name(stream))
                continue;
            if (const int64_t rank = rule.rankFor(target, {}); rank > width)
                throw Error(ErrorKind::invalid_argument,
                            fmt::format("{}: {} asks for rank {}, it is {} wide", toText(target),
                                        rule.source(), rank, width));
        }
}

}  // namespace

void checkProjection(const ExperimentFile& file, const PlannedRun& run, const ModelConfig& config) {
    if (!run.needsSubspace())
        return;
    const Experiment& experiment = run.experiment;
    const auto checked = [&](const char* key, const auto& check) {
        try {
            return check();
        } catch (const Error& error) {
            throw refusalAt(file, key, error.kind(), fmt::format("{}: {}", key, error.what()));
        }
    };
    const std::vector<int64_t> measured = checked("calibration.layers", [&] {
        return parseLayers(experiment.calibration.layers, config.num_hidden_layers);
    });
    const std::vector<int64_t> used = checked(
        "projection.layers", [&] { return usedLayers(experiment, measured, config.num_hidden_layers); });
    checked("projection.rank_rule", [&] { checkRanks(experiment, used, config); });
}

}  // namespace spd
