#include "core/experiment/run_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "core/base/error.h"
#include "core/base/sha256.h"

namespace spd {
namespace {

bool isOneOf(std::string_view key, std::initializer_list<std::string_view> keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

bool evaluatesGenerating(const Experiment& experiment) {
    return std::any_of(experiment.evaluate.begin(), experiment.evaluate.end(),
                       [](const auto& evaluation) { return evaluation.policy == "generating"; });
}

/// Whether `key` reaches the result of the method (design: the life of a run).
bool matters(std::string_view key, Method method, const Experiment& experiment) {
    if (key == "name")
        return false;
    if (key == "seed" || key.starts_with("model.") || key.starts_with("evaluate."))
        return true;
    if (isOneOf(key, {"training.recompute", "training.checkpoint_every", "generation.batch"}))
        return false;  // how it is computed, not what
    if (method == Method::base && key == "task.name")
        return std::any_of(experiment.evaluate.begin(), experiment.evaluate.end(),
                           [](const auto& evaluation) { return !evaluation.domain.empty(); });
    if (method == Method::base)
        return key.starts_with("generation.") && !key.starts_with("generation.ssd_") &&
               evaluatesGenerating(experiment);
    if (key == "task.n_calibration")
        return method == Method::spd || experiment.task.disjoint;
    if (key.starts_with("calibration.") || key.starts_with("projection."))
        return method == Method::spd;
    if (key == "corpus.filter")
        return method != Method::ssd || experiment.corpus.ssd_filter.empty();
    if (key.starts_with("generation.ssd_") || key == "corpus.ssd_filter")
        return method == Method::ssd;
    if (method == Method::ssd)
        return !isOneOf(key, {"generation.greedy", "generation.temperature", "generation.top_k",
                              "generation.top_p", "generation.min_p"});
    return true;
}

std::vector<std::pair<std::string, std::string>> settingsThatMatter(const Experiment& experiment,
                                                                    Method method) {
    std::vector<std::pair<std::string, std::string>> settings;
    for (auto& setting : settingsOf(experiment))
        if (matters(setting.first, method, experiment))
            settings.push_back(std::move(setting));
    return settings;
}

std::string ranksSha256(const Experiment& experiment) {
    constexpr std::string_view prefix = "file:";
    const std::string& rule = experiment.projection.rank_rule;
    if (!rule.starts_with(prefix))
        return "";
    try {
        return sha256OfFile(rule.substr(prefix.size()));
    } catch (const Error&) {
        return "";
    }
}

std::string labelOf(const ExperimentPoint& point, Method method) {
    std::string label;
    for (const auto& [key, value] : point.values)
        if (key != "seed" && matters(key, method, point.experiment))
            label += fmt::format("{}{}={}", label.empty() ? "" : ",", key.substr(key.find('.') + 1), value);
    return label;
}

}  // namespace

bool PlannedRun::needsTraining() const {
    const auto& evaluate = experiment.evaluate;
    return method != Method::base &&
           (evaluate.empty() || std::any_of(evaluate.begin(), evaluate.end(), [](const auto& evaluation) {
                return evaluation.policy == "trained";
            }));
}

std::string plainName(const std::string& text, size_t longest) {
    std::string plain = text;
    for (char& letter : plain)
        if (!((letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
              (letter >= '0' && letter <= '9') ||
              std::string_view("._=,+-").find(letter) != std::string::npos))
            letter = '-';
    if (plain.starts_with('.'))
        plain[0] = '-';  // no hidden folders, no ".."
    if (plain.size() > longest)
        plain = fmt::format("{}-{}", plain.substr(0, longest - 9), sha256Hex(text).substr(0, 8));
    return plain;
}

std::vector<PlannedRun> planRuns(const ExperimentFile& file) {
    std::vector<PlannedRun> runs;
    std::set<std::pair<Method, std::vector<std::pair<std::string, std::string>>>> planned;
    std::set<std::string> names;
    for (const ExperimentPoint& point : file.points)
        for (Method method : point.experiment.methods) {
            PlannedRun run;
            run.method = method;
            run.experiment = point.experiment;
            std::erase_if(run.experiment.evaluate, [&](const Experiment::Evaluation& evaluation) {
                return !evaluation.domain.empty() && evaluation.domain != point.experiment.task.name;
            });
            run.settings = settingsThatMatter(run.experiment, method);
            if (run.needsSubspace())
                run.ranks_sha256 = ranksSha256(run.experiment);
            if (!run.ranks_sha256.empty())
                run.settings.emplace_back("projection.ranks_sha256", run.ranks_sha256);
            if (!planned.insert({method, run.settings}).second)
                continue;
            run.point = labelOf(point, method);
            const std::string name = fmt::format("{}-s{}{}{}", spd::name(method), point.experiment.seed,
                                                 run.point.empty() ? "" : "-", run.point);
            run.name = plainName(name);
            if (!names.insert(run.name).second) {  // texts that differ only in letters that no file name has
                run.name = plainName(fmt::format("{}-{}", run.name, sha256Hex(name).substr(0, 8)), 120);
                names.insert(run.name);
            }
            runs.push_back(std::move(run));
        }
    return runs;
}

std::string identityOf(const ExperimentFile& file, const std::vector<PlannedRun>& runs) {
    std::set<std::string> lines;
    for (const PlannedRun& run : runs)
        if (!run.ranks_sha256.empty())
            lines.insert(fmt::format("# {}: SHA-256 {}\n",
                                     printable(run.experiment.projection.rank_rule, 4000), run.ranks_sha256));
    return fmt::format("{}{}", file.resolved, fmt::join(lines, ""));
}

}  // namespace spd
