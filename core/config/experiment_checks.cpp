#include "core/config/experiment_checks.h"

#include <algorithm>
#include <set>

namespace spd {
namespace {

std::set<std::string> layersIn(const std::string& list) {
    std::set<std::string> layers;
    for (size_t begin = 0; begin <= list.size();) {
        const size_t comma = std::min(list.find(',', begin), list.size());
        layers.insert(list.substr(begin, comma - begin));
        begin = comma + 1;
    }
    return layers;
}

bool isList(const std::string& layers) {
    return !layers.empty() && layers != "last_mid" && layers != "all";
}

/// "all" is measured in every case; a list and "last_mid" can be compared only when the model is known.
bool areMeasured(const std::string& used, const std::string& measured) {
    if (used.empty() || measured == "all" || used == measured)
        return true;
    if (used == "all")
        return false;
    if (!isList(used) || !isList(measured))
        return true;
    const std::set<std::string> all = layersIn(measured);
    const std::set<std::string> wanted = layersIn(used);
    return std::includes(all.begin(), all.end(), wanted.begin(), wanted.end());
}

}  // namespace

std::vector<Contradiction> contradictionsIn(const Experiment& experiment) {
    std::vector<Contradiction> found;
    const Experiment::Calibration& calibration = experiment.calibration;
    const Experiment::Projection& projection = experiment.projection;
    const auto uses = [&](Method method) {
        return std::find(experiment.methods.begin(), experiment.methods.end(), method) !=
               experiment.methods.end();
    };
    if (experiment.evaluate.empty() && experiment.methods == std::vector<Method>{Method::base})
        found.push_back(
            {"methods", "method \"base\" alone, and nothing to evaluate: there is nothing to do"});
    if (uses(Method::spd) && !areMeasured(projection.layers, calibration.layers))
        found.push_back({"projection.layers", "projection.layers must be among calibration.layers (\"" +
                                                  projection.layers + "\" is not in \"" + calibration.layers +
                                                  "\")"});
    if (projection.apply == "folded" && calibration.site != "proj")
        found.push_back(
            {"projection.apply", "projection.apply = \"folded\" needs calibration.site = \"proj\""});
    return found;
}

}  // namespace spd
