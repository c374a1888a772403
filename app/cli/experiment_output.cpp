#include "app/cli/experiment_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "app/cli/text_table.h"

namespace spd::cli {

namespace {

using Json = nlohmann::ordered_json;
using Align = TextTable::Align;

std::string dumped(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string duration(double seconds) {
    if (seconds < 99.95)
        return fmt::format("{:.1f} s", seconds);
    if (seconds < 5400)
        return fmt::format("{:.1f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
}

std::string grouped(int64_t number) {
    std::string text = std::to_string(number);
    for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3)
        text.insert(static_cast<size_t>(place), 1, ',');
    return text;
}

std::string gibibytes(int64_t bytes) {
    return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / 1073741824.0);
}

std::string stageTable(const ExperimentOutcome& outcome) {
    TextTable table;
    table.addColumn("run");
    table.addColumn("stage");
    table.addColumn("result");
    table.addColumn("time", Align::right);
    double computed = 0;
    for (const StageOutcome& stage : outcome.stages) {
        computed += stage.skipped ? 0 : stage.seconds;
        table.addRow({stage.run, stage.stage, stage.result,
                      stage.skipped ? "there already" : duration(stage.seconds)});
    }
    table.addRow({"total", "", "", duration(computed)});
    return table.text();
}

std::string scoreText(const EvalResult& result) {
    return fmt::format("{} {}/{} = {:.0f} % [{:.0f}, {:.0f}]", result.task, result.correct, result.n,
                       100 * result.exactMatch(), 100 * result.interval.low, 100 * result.interval.high);
}

std::string resultTable(const ExperimentOutcome& outcome) {
    TextTable table;
    table.addColumn("run");
    table.addColumn("training loss");
    table.addColumn("exact match [95 %]");
    table.addColumn("KL to base");
    for (const RunOutcome& run : outcome.runs) {
        const bool is_trained = !run.adapter.empty();
        const std::string loss =
            is_trained ? fmt::format("{:.4f} -> {:.4f}", run.first_loss, run.last_loss) : "";
        if (!run.error.empty()) {
            table.addRow({run.name, loss, fmt::format("FAILED: {}", run.error)});
            continue;
        }
        for (size_t i = 0; i < std::max<size_t>(1, run.results.size()); ++i) {
            const EvalResult* result = i < run.results.size() ? &run.results[i] : nullptr;
            table.addRow({i == 0 ? run.name : "", i == 0 ? loss : "", result ? scoreText(*result) : "",
                          result && result->kl_tokens > 0
                              ? fmt::format("{:.4f} nats a token", result->mean_kl_to_base)
                              : ""});
        }
    }
    return table.text();
}

/// In words what the intervals say, where runs answered the same questions in the same way.
std::string noiseRemark(const ExperimentOutcome& outcome) {
    std::map<size_t, std::vector<EvalResult>> alike;  // by the number of the file's [[evaluate]]
    for (const RunOutcome& run : outcome.runs)
        for (size_t i = 0; i < run.results.size(); ++i)
            alike[i].push_back(run.results[i]);
    std::string remark;
    for (const auto& [number, results] : alike) {
        if (results.size() < 2)
            continue;
        double highest_low = 0;
        double lowest_high = 1;
        for (const EvalResult& result : results) {
            highest_low = std::max(highest_low, result.interval.low);
            lowest_high = std::min(lowest_high, result.interval.high);
        }
        if (highest_low <= lowest_high)
            remark +=
                fmt::format("{}: the intervals overlap; {} questions do not decide between these runs.\n",
                            results.front().task, results.front().n);
    }
    return remark;
}

Json toJson(const StageOutcome& stage) {
    return {{"run", stage.run},
            {"stage", stage.stage},
            {"result", stage.result},
            {"seconds", stage.seconds},
            {"skipped", stage.skipped}};
}

Json toJson(const RunOutcome& run) {
    Json results = Json::array();
    for (const EvalResult& result : run.results)
        results.push_back(spd::toJson(result));
    Json json = {{"id", run.id},
                 {"name", run.name},
                 {"method", name(run.method)},
                 {"folder", run.folder.string()},
                 {"status", run.error.empty() ? "FINISHED" : "FAILED"}};
    if (!run.error.empty())
        json["error"] = run.error;
    if (!run.adapter.empty()) {
        json["adapter"] = run.adapter.string();
        json["first_epoch_loss"] = run.first_loss;
        json["last_epoch_loss"] = run.last_loss;
    }
    json["results"] = results;
    return json;
}

Json toJson(const StageForecast& stage, const StageForecast& other) {
    return {{"stage", stage.stage},     {"items", stage.items},
            {"tokens", stage.tokens},   {"memory_bytes", stage.memory},
            {"seconds", stage.seconds}, {"seconds_on_one_h100", other.seconds}};
}

Json toJson(const std::vector<DryRun>& runs) {
    Json list = Json::array();
    for (const DryRun& run : runs) {
        Json stages = Json::array();
        for (size_t i = 0; i < run.stages.size(); ++i)
            stages.push_back(toJson(run.stages[i], run.on_other_machine[i]));
        list.push_back({{"run", run.name},
                        {"model", run.model},
                        {"model_is_here", run.is_here},
                        {"prompts", run.sizes.prompts},
                        {"tokens_counted", run.sizes.counted},
                        {"corpus_filter", name(run.corpus_filter)},
                        {"stages", stages}});
    }
    return {{"runs", list}};
}

struct Totals {
    int64_t tokens = 0;
    int64_t memory = 0;
    double seconds = 0;
    double other_seconds = 0;
};

std::string forecastTable(const std::vector<DryRun>& runs, const MachineRates& here,
                          const MachineRates& other) {
    TextTable table;
    table.addColumn("run");
    table.addColumn("stage");
    table.addColumn("items", Align::right);
    table.addColumn("tokens", Align::right);
    table.addColumn("memory", Align::right);
    table.addColumn(here.name, Align::right);
    table.addColumn(other.name, Align::right);
    Totals total;
    for (const DryRun& run : runs)
        for (size_t i = 0; i < run.stages.size(); ++i) {
            const StageForecast& stage = run.stages[i];
            table.addRow({i == 0 ? run.name : "", stage.stage, grouped(stage.items), grouped(stage.tokens),
                          gibibytes(stage.memory), duration(stage.seconds),
                          duration(run.on_other_machine[i].seconds)});
            total.tokens += stage.tokens;
            total.memory = std::max(total.memory, stage.memory);
            total.seconds += stage.seconds;
            total.other_seconds += run.on_other_machine[i].seconds;
        }
    table.addRow({"total", "", "", grouped(total.tokens), gibibytes(total.memory), duration(total.seconds),
                  duration(total.other_seconds)});
    return table.text();
}

}  // namespace

std::string describe(const StageOutcome& stage) {
    return fmt::format("{}: {}: {} ({})", stage.run, stage.stage, stage.result,
                       stage.skipped ? "there already" : duration(stage.seconds));
}

std::string describe(const ExperimentOutcome& outcome, bool json) {
    if (json) {
        Json stages = Json::array();
        for (const StageOutcome& stage : outcome.stages)
            stages.push_back(toJson(stage));
        Json runs = Json::array();
        for (const RunOutcome& run : outcome.runs)
            runs.push_back(toJson(run));
        return dumped({{"experiment", outcome.id},
                       {"folder", outcome.folder.string()},
                       {"stages", stages},
                       {"runs", runs},
                       {"notices", outcome.notices}});
    }
    std::string text = stageTable(outcome) + "\n" + resultTable(outcome) + noiseRemark(outcome) + "\n";
    for (const RunOutcome& run : outcome.runs)
        if (!run.adapter.empty())
            text += fmt::format("adapter of {}: {}\n", run.name, run.adapter.string());
    return text +
           fmt::format("spd runs list shows the runs; their files lie in {}\n", outcome.folder.string());
}

std::string describe(const std::vector<DryRun>& runs, const MachineRates& here, const MachineRates& other,
                     bool json) {
    if (json)
        return dumped(toJson(runs));
    std::string text = forecastTable(runs, here, other);
    text +=
        "Completions are counted at their longest, so tokens and times are upper ends; what several runs "
        "share is "
        "counted once.\n";
    for (const DryRun& run : runs)
        if (run.corpus_filter != CorpusFilter::none)
            text += fmt::format(
                "{} trains on what corpus filter {} keeps of its completions; all are counted here.\n",
                run.name, name(run.corpus_filter));
    std::set<std::string> absent;
    for (const DryRun& run : runs)
        if (!run.is_here && absent.insert(run.model).second)
            text += fmt::format("{} (tokens estimated from characters)\n", run.how_to_get);
    return text;
}

}  // namespace spd::cli
