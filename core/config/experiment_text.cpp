#include <fmt/format.h>
#include <toml++/toml.h>

#include <sstream>

#include "core/config/experiment.h"
#include "core/config/experiment_fields.h"

namespace spd {
namespace {

/// The value as TOML spells it: texts quoted, numbers with all their digits.
template <class Value>
std::string spelled(const Value& value) {
    std::ostringstream text;
    text << toml::value<Value>(value);
    return text.str();
}

}  // namespace

std::vector<std::pair<std::string, std::string>> settingsOf(const Experiment& experiment) {
    std::vector<std::pair<std::string, std::string>> settings;
    const auto add = [&](const std::string& key, const auto& value) {
        settings.emplace_back(key, fmt::format("{}", value));
    };
    visitFields(experiment,
                [&](std::string_view section, std::string_view key, const auto& value, const FieldRule&) {
                    add(section.empty() ? std::string(key) : fmt::format("{}.{}", section, key), value);
                });
    for (size_t i = 0; i < experiment.evaluate.size(); ++i)
        visitEvaluation(experiment.evaluate[i],
                        [&](std::string_view, std::string_view key, const auto& value, const FieldRule&) {
                            add(fmt::format("evaluate.{}.{}", i, key), value);
                        });
    return settings;
}

std::string resolvedToml(const Experiment& experiment) {
    std::string text;
    std::string_view open_section;
    visitFields(
        experiment, [&](std::string_view section, std::string_view key, const auto& value, const FieldRule&) {
            if (section != open_section) {
                if (open_section.empty()) {
                    text += "methods = [";
                    for (size_t i = 0; i < experiment.methods.size(); ++i)
                        text += fmt::format("{}\"{}\"", i > 0 ? ", " : "", name(experiment.methods[i]));
                    text += "]\n";
                }
                text += fmt::format("\n[{}]\n", section);
                open_section = section;
            }
            text += fmt::format("{} = {}\n", key, spelled(value));
        });
    for (const Experiment::Evaluation& evaluation : experiment.evaluate) {
        text += "\n[[evaluate]]\n";
        visitEvaluation(evaluation,
                        [&](std::string_view, std::string_view key, const auto& value, const FieldRule&) {
                            text += fmt::format("{} = {}\n", key, spelled(value));
                        });
    }
    return text;
}

}  // namespace spd
