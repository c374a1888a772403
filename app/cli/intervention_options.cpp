#include "app/cli/intervention_options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <iostream>
#include <map>
#include <optional>
#include <tuple>

namespace spd::cli {
namespace {

constexpr const char* group = "Intervention";

std::string controlProblem(const std::string& text) {
    return parseControl(text) ? "" : "must be none, complement or random:SEED";
}

std::string strengthProblem(const std::string& text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && std::isfinite(value)
               ? ""
               : "must be a finite number";
}

/// An option whose values are the names in `choices`.
template <class Value, class Set>
CLI::Option* addChoice(CLI::App& command, const char* option, const std::map<std::string, Value>& choices,
                       const char* help, const Set& set) {
    return command
        .add_option_function<std::string>(
            option, [choices, set](const std::string& text) { set(choices.at(text)); }, help)
        ->check(CLI::IsMember(choices));
}

}  // namespace

CLI::Option* addProjectionOptions(CLI::App& command, InterventionRequest& request) {
    ProjectionSettings& settings = request.projection;
    CLI::Option* subspace = command.add_option("--subspace", request.subspace,
                                               "Project K and V onto this calibration's subspaces");
    subspace->group(group);
    const auto add = [&](CLI::Option* option) { return option->needs(subspace)->group(group); };
    add(command.add_option("--project-layers", settings.layers,
                           "last_mid, all or I,J; default: those measured, last_mid when all were"));
    CLI::Option* rank = add(command.add_option_function<int64_t>(
        "--rank", [&settings](int64_t value) { settings.rank_rule = std::to_string(value); },
        "Directions kept in each (layer, K or V)"));
    rank->check(CLI::Range(int64_t{1}, int64_t{1} << 20));
    add(command.add_option(
            "--rank-rule", settings.rank_rule,
            "half_dim (the default), half_numeric, energy:T, a rank each (11.k=R,11.v=R,...) or file:F"))
        ->excludes(rank);
    add(command.add_option("--project", settings.project, "both, k or v"))
        ->check(CLI::IsMember({"both", "k", "v"}))
        ->capture_default_str();
    add(command.add_option("--strength", settings.strength, "a of the map I - a (I - Q)"))
        ->check(CLI::Validator(strengthProblem, "NUMBER"))
        ->capture_default_str();
    add(command.add_option_function<std::string>(
            "--control",
            [&settings](const std::string& text) {
                std::tie(settings.control, settings.control_seed) = *parseControl(text);
            },
            "none; complement: what is kept is removed; random:SEED: random directions"))
        ->check(CLI::Validator(controlProblem, "CONTROL"));
    add(addChoice<ProjectWhen>(command, "--when",
                               {{"all", ProjectWhen::all},
                                {"decode_only", ProjectWhen::decode_only},
                                {"prefill_only", ProjectWhen::prefill_only}},
                               "Positions that are projected: all (the default), new tokens or the prompt",
                               [&settings](ProjectWhen when) { settings.when = when; }));
    add(addChoice<ProjectApply>(
        command, "--apply", {{"folded", ProjectApply::folded}, {"activation", ProjectApply::activation}},
        "In the weights (the default where that is the same) or to each row of K and V",
        [&settings](ProjectApply apply) { settings.apply = apply; }));
    add(command.add_flag("--allow-arbitrary", settings.allow_arbitrary,
                         "Let --rank lie above the numeric rank"));
    return subspace;
}

void addInterventionOptions(CLI::App& command, InterventionRequest& request) {
    addProjectionOptions(command, request);
    command.add_option("--adapter", request.adapter, "LoRA adapter: a folder with adapter_config.json")
        ->group(group);
}

void printWarning(const std::string& warning) {
    std::cerr << "spd: warning: " << warning << "\n";
}

}  // namespace spd::cli
