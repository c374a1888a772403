#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/config/experiment.h"
#include "core/config/experiment_checks.h"
#include "core/config/experiment_fields.h"
#include "core/config/toml_values.h"

namespace spd {
namespace {

constexpr size_t kMostBytes = size_t{1} << 20;

std::string dotted(std::string_view section, std::string_view key) {
    return section.empty() ? std::string(key) : fmt::format("{}.{}", section, key);
}

class ExperimentReader {
public:
    ExperimentReader(const toml::table& root, Problems& problems) : root_(root), problems_(problems) {}

    Experiment read() {
        Experiment experiment;
        known_ = {"methods", "evaluate", "sweep"};
        visitFields(experiment,
                    [&](std::string_view section, std::string_view key, auto& value, const FieldRule& rule) {
                        known_.insert(dotted(section, key));
                        if (!section.empty())
                            known_.insert(std::string(section));
                        if (const toml::node* node = find(section, key))
                            take(*node, dotted(section, key), rule, value);
                    });
        readMethods(experiment);
        readEvaluations(experiment);
        findUnknownKeys(root_, "");
        if (experiment.name.empty())
            problems_.add(1, "name is missing");
        if (experiment.model.path.empty())
            problems_.add(1, "model.path is missing");
        noteContradictions(experiment);
        return experiment;
    }

    std::vector<ExperimentPoint> readPoints(const Experiment& base) {
        std::vector<ExperimentPoint> points = {{"", {}, base}};
        const toml::node* sweep = root_.get("sweep");
        if (sweep == nullptr)
            return points;
        if (!sweep->is_table()) {
            problems_.add(*sweep, "sweep must be a table of lists");
            return points;
        }
        for (const auto& [key, node] : axesOf(*sweep->as_table()))
            points = multiply(points, key, *node);
        for (const ExperimentPoint& point : points)
            noteContradictions(point.experiment);
        return points;
    }

    /// The section [sweep] as it can be read again; empty without one.
    std::string sweepText() const {
        const toml::node* sweep = root_.get("sweep");
        if (sweep == nullptr || sweep->as_table()->empty())
            return "";
        std::ostringstream text;
        text << "\n[sweep]\n";
        for (const auto& [key, node] : axesOf(*sweep->as_table()))
            text << fmt::format("\"{}\" = ", key) << *node->as_array() << "\n";
        return text.str();
    }

    std::map<std::string, uint32_t> lines() const {
        std::map<std::string, uint32_t> lines;
        const auto note = [&](const std::string& key, const toml::node* node) {
            if (node != nullptr)
                lines[key] = node->source().begin.line;
        };
        const Experiment any;
        visitFields(any, [&](std::string_view section, std::string_view key, const auto&, const FieldRule&) {
            note(dotted(section, key), find(section, key));
        });
        if (const toml::node* sweep = root_.get("sweep"); sweep != nullptr && sweep->is_table())
            for (const auto& [key, node] : *sweep->as_table())
                note(std::string(key.str()), &node);
        return lines;
    }

private:
    /// toml++ sorts keys; the file's order is that of the lines.
    static std::vector<std::pair<std::string, const toml::node*>> axesOf(const toml::table& sweep) {
        std::vector<std::pair<std::string, const toml::node*>> axes;
        for (const auto& [key, node] : sweep)
            axes.emplace_back(std::string(key.str()), &node);
        std::stable_sort(axes.begin(), axes.end(), [](const auto& a, const auto& b) {
            return a.second->source().begin < b.second->source().begin;
        });
        return axes;
    }

    const toml::node* find(std::string_view section, std::string_view key) const {
        if (section.empty())
            return root_.get(key);
        const toml::node* table = root_.get(section);
        return table != nullptr && table->is_table() ? table->as_table()->get(key) : nullptr;
    }

    template <class Value>
    bool take(const toml::node& node, const std::string& key, const FieldRule& rule, Value& value) {
        const std::string wrong = takeValue(node, rule, value);
        if (!wrong.empty())
            problems_.add(node, fmt::format("{} must be {}", key, wrong));
        return wrong.empty();
    }

    void readMethods(Experiment& experiment) {
        const toml::node* node = root_.get("methods");
        if (node == nullptr)
            return;
        constexpr std::string_view rule =
            "methods must be a list of \"base\", \"psr\", \"ssd\", \"spd\", each once";
        if (!node->is_array() || node->as_array()->empty())
            return problems_.add(*node, std::string(rule));
        std::vector<Method> methods;
        for (const toml::node& item : *node->as_array()) {
            const auto text = item.value<std::string>();
            const auto* found = std::find_if(std::begin(kMethods), std::end(kMethods),
                                             [&](Method method) { return text == spd::name(method); });
            if (found == std::end(kMethods) ||
                std::find(methods.begin(), methods.end(), *found) != methods.end())
                return problems_.add(item, std::string(rule));
            methods.push_back(*found);
        }
        experiment.methods = methods;
    }

    void readEvaluations(Experiment& experiment) {
        const toml::node* node = root_.get("evaluate");
        if (node == nullptr)
            return;
        if (!node->is_array_of_tables())
            return problems_.add(*node, "evaluate must be written [[evaluate]], one table a benchmark");
        for (const toml::node& item : *node->as_array()) {
            Experiment::Evaluation evaluation;
            std::set<std::string, std::less<>> keys;
            visitEvaluation(evaluation,
                            [&](std::string_view, std::string_view key, auto& value, const FieldRule& rule) {
                                keys.insert(std::string(key));
                                if (const toml::node* found = item.as_table()->get(key))
                                    take(*found, dotted("evaluate", key), rule, value);
                            });
            for (const auto& [key, value] : *item.as_table())
                if (!keys.contains(key.str()))
                    problems_.add(key.source().begin.line,
                                  fmt::format("evaluate.{} is no setting", printable(key.str())));
            if (evaluation.task.empty() && item.as_table()->get("task") == nullptr)
                problems_.add(item, "evaluate.task is missing");
            refuseTwice(experiment.evaluate, evaluation, item);
            experiment.evaluate.push_back(evaluation);
        }
    }

    /// A run keeps one result a benchmark and policy, as lm-eval keeps one a task name.
    void refuseTwice(const std::vector<Experiment::Evaluation>& before, const Experiment::Evaluation& now,
                     const toml::node& item) {
        for (const Experiment::Evaluation& other : before)
            if (other.task == now.task && other.policy == now.policy && !now.task.empty() &&
                (other.domain.empty() || now.domain.empty() || other.domain == now.domain))
                return problems_.add(item, fmt::format("evaluate: {} (policy \"{}\") is there twice for the "
                                                       "same runs: a run has one result of it",
                                                       now.task, now.policy));
    }

    void findUnknownKeys(const toml::table& table, std::string_view section) {
        for (const auto& [key, node] : table) {
            const std::string path = dotted(section, key.str());
            const bool is_section = section.empty() && sectionNames().contains(path);
            if (!known_.contains(path))
                problems_.add(key.source().begin.line, fmt::format("{} is no setting", printable(path)));
            else if (is_section && !node.is_table())
                problems_.add(key.source().begin.line, fmt::format("{0} must be a section: [{0}]", path));
            else if (is_section)
                findUnknownKeys(*node.as_table(), path);
        }
    }

    /// Every point once for each value of the list.
    std::vector<ExperimentPoint> multiply(const std::vector<ExperimentPoint>& points, const std::string& key,
                                          const toml::node& list) {
        if (!list.is_array() || list.as_array()->empty()) {
            problems_.add(list, fmt::format("sweep: {} must be a list of values", printable(key)));
            return points;
        }
        if (points.size() * list.as_array()->size() > kMostSweepPoints) {
            problems_.add(list, fmt::format("sweep: more than {} points", kMostSweepPoints));
            return points;
        }
        std::vector<ExperimentPoint> product;
        for (const ExperimentPoint& point : points)
            for (const toml::node& value : *list.as_array()) {
                product.push_back(point);
                if (!set(product.back(), key, value))
                    return points;
            }
        return product;
    }

    bool set(ExperimentPoint& point, const std::string& key, const toml::node& node) {
        bool is_known = false;
        bool is_good = false;
        std::string text;
        visitFields(point.experiment,
                    [&](std::string_view section, std::string_view name, auto& value, const FieldRule& rule) {
                        if (dotted(section, name) != key || key == "name")
                            return;
                        is_known = true;
                        is_good = take(node, fmt::format("sweep: {}", key), rule, value);
                        text = fmt::format("{}", value);
                    });
        if (!is_known)
            problems_.add(node, fmt::format("sweep: {} is no setting that can be swept", printable(key)));
        point.values.emplace_back(key, text);
        point.label +=
            fmt::format("{}{}={}", point.label.empty() ? "" : ",", key.substr(key.find('.') + 1), text);
        return is_good;
    }

    void noteContradictions(const Experiment& experiment) {
        for (const Contradiction& found : contradictionsIn(experiment)) {
            const size_t dot = found.key.find('.');
            const toml::node* node = dot == std::string::npos
                                         ? root_.get(found.key)
                                         : find(found.key.substr(0, dot), found.key.substr(dot + 1));
            problems_.add(node != nullptr ? node->source().begin.line : 1, found.rule);
        }
    }

    static const std::set<std::string, std::less<>>& sectionNames() {
        static const std::set<std::string, std::less<>> names = {
            "model", "task", "calibration", "projection", "generation", "corpus", "training"};
        return names;
    }

    static constexpr Method kMethods[] = {Method::base, Method::psr, Method::ssd, Method::spd};

    const toml::table& root_;
    Problems& problems_;
    std::set<std::string, std::less<>> known_;
};

}  // namespace

ExperimentFile parseExperiment(const std::string& text, const std::string& file) {
    Problems problems(file);
    toml::table root;
    try {
        root = toml::parse(std::string_view(text), std::string_view(file));
    } catch (const toml::parse_error& error) {
        problems.add(error.source().begin.line, std::string(error.description()));
        problems.check();
    }
    ExperimentReader reader(root, problems);
    const Experiment base = reader.read();
    std::vector<ExperimentPoint> points = reader.readPoints(base);
    problems.check();
    return {text, resolvedToml(base) + reader.sweepText(), std::move(points), file, reader.lines()};
}

Error refusalAt(const ExperimentFile& file, const std::string& key, ErrorKind kind, const std::string& rule) {
    const auto line = file.lines.find(key);
    const std::string position = fmt::format("line {}", line != file.lines.end() ? line->second : 1);
    return Error(kind, Error::fileFormat(file.name, position, rule).what());
}

ExperimentFile readExperiment(const std::filesystem::path& path) {
    std::string text;
    try {
        text = readFile(path, kMostBytes);
    } catch (const Error& error) {  // an experiment file is part of the command line: exit 2
        if (error.kind() != ErrorKind::file_format)
            throw;
        throw Error(ErrorKind::invalid_argument, error.what());
    }
    return parseExperiment(text, path.string());
}

}  // namespace spd
