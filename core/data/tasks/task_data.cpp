#include "core/data/tasks/task_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/sha256.h"
#include "core/data/json_lines.h"
#include "core/data/permutation.h"
#include "core/data/sets/normalized_text.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostListed = 1000;

std::string placeOf(const DataSet& set, const DataRow& row) {
    return fmt::format("{}: line {}", printable(set.name, 800), row.line + 1);
}

/// An error whose what() is `message` and whose details() are at most 1,000 lines.
Error listing(ErrorKind kind, const std::string& message, std::vector<std::string> lines) {
    lines.resize(std::min(lines.size(), kMostListed));
    Error error(kind, message);
    error.withDetails(std::move(lines));
    return error;
}

Json recordOf(const TaskSplit& split, uint64_t seed, const PromptTemplates& templates) {
    return {{"task", name(split.task)},
            {"data_set", split.set.name},
            {"data_sha256", split.set.sha256},
            {"templates_sha256", templates.sha256(name(split.task))},
            {"seed", seed}};
}

std::string hashOf(const std::vector<CalibrationExample>& examples) {
    std::string all;
    for (const CalibrationExample& example : examples)
        all += Json{toJson(example.id), example.input_ids, example.target_positions}.dump(
                   -1, ' ', false, Json::error_handler_t::replace) +
               "\n";
    return sha256Hex(all);
}

std::string hashOf(const std::vector<TaskPrompt>& prompts) {
    std::string all;
    for (const TaskPrompt& prompt : prompts)
        all += fmt::format("{} {}\n", toText(prompt.id), sha256Hex(prompt.prompt));
    return sha256Hex(all);
}

std::set<std::string> keysOf(const std::vector<TaskPrompt>& prompts) {
    std::set<std::string> keys;
    for (const TaskPrompt& prompt : prompts)
        keys.insert(promptKey(prompt.prompt));
    return keys;
}

/// Turns rows into examples, one after the other.
class ExampleMaker {
public:
    ExampleMaker(const TaskSplit& split, const CodeOptions& options, const PromptTemplates& templates,
                 const Tokenizer& tokenizer, const ExampleLimits& limits)
        : split_(split), options_(options), templates_(templates), tokenizer_(tokenizer), limits_(limits) {}

    /// Adds the row's example, or why there is none.
    void take(size_t row, CalibrationSet& to) const {
        const DataRow& source = split_.set.rows[row];
        try {
            const CalibrationText text = calibrationTextOf(split_.task, source.fields, templates_, options_);
            if (text.spans.empty())
                throw rowError(text.missing);
            to.examples.push_back(makeCalibrationExample(source.id, text.prompt, text.completion, text.spans,
                                                         tokenizer_, limits_));
            to.rows.push_back(row);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::file_format)
                throw;
            to.left_out.push_back({source.id, error.what()});
        }
    }

private:
    const TaskSplit& split_;
    const CodeOptions& options_;
    const PromptTemplates& templates_;
    const Tokenizer& tokenizer_;
    const ExampleLimits& limits_;
};

void requireUsable(const TaskSplit& split, int64_t n, const CalibrationSet& found) {
    if (static_cast<int64_t>(found.examples.size()) == n)
        return;
    std::vector<std::string> lines;
    for (const LeftOutRow& row : found.left_out)
        lines.push_back(fmt::format("{}: {}", printable(toText(row.id), 200), row.reason));
    const std::string first = lines.empty() ? "" : ": " + lines.front();
    throw listing(
        ErrorKind::file_format,
        fmt::format("{}: {} usable calibration examples, {} are wanted; {} left out{}",
                    printable(split.set.name, 500), found.examples.size(), n, found.left_out.size(), first),
        std::move(lines));
}

}  // namespace

TaskSplit openTaskSplit(TaskKind task, const std::string& name, const PromptTemplates& templates) {
    TaskSplit split = {.task = task,
                       .set = openDataSet(name.empty() ? std::string(defaultDataSet(task)) : name),
                       .prompts = {}};
    std::vector<std::string> refused;
    for (const DataRow& row : split.set.rows) {
        try {
            split.prompts.push_back(promptOf(task, row.fields, templates));
            if (split.prompts.back().empty())
                throw rowError("the prompt is empty");
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::file_format)
                throw;
            refused.push_back(fmt::format("{}: {}", placeOf(split.set, row), error.what()));
        }
    }
    if (refused.size() == 1)
        throw Error(ErrorKind::file_format, refused.front());
    if (!refused.empty()) {
        const std::string message = fmt::format("{} (and {} more bad {})", refused.front(),
                                                refused.size() - 1, refused.size() == 2 ? "row" : "rows");
        throw listing(ErrorKind::file_format, message, std::move(refused));
    }
    return split;
}

CalibrationSet selectCalibration(const TaskSplit& split, int64_t n, uint64_t seed, const CodeOptions& options,
                                 const PromptTemplates& templates, const Tokenizer& tokenizer,
                                 const ExampleLimits& limits) {
    const auto rows = static_cast<int64_t>(split.set.rows.size());
    if (n < 1 || n > rows)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("--n {}: {} has {} rows, from 1 to all of them can be taken", n,
                                printable(split.set.name, 500), rows));
    const ExampleMaker maker(split, options, templates, tokenizer, limits);
    CalibrationSet set;
    for (const int64_t row : permutation(rows, seed, kTaskRows)) {
        if (static_cast<int64_t>(set.examples.size()) == n)
            break;
        maker.take(static_cast<size_t>(row), set);
    }
    requireUsable(split, n, set);
    set.record = recordOf(split, seed, templates);
    if (split.task == TaskKind::code) {
        set.record["code_span"] = name(options.span);
        set.record["tests_in_prompt"] = options.tests_in_prompt;
    }
    set.record["examples"] = n;
    set.record["examples_sha256"] = hashOf(set.examples);
    Json left_out = Json::array();
    for (const LeftOutRow& row : set.left_out)
        left_out.push_back({{"id", toJson(row.id)}, {"reason", row.reason}});
    set.record["left_out"] = std::move(left_out);
    return set;
}

TrainingPrompts selectTraining(const TaskSplit& split, int64_t n, uint64_t seed,
                               const CalibrationSet& calibration, bool disjoint,
                               const PromptTemplates& templates) {
    const std::set<std::string> calibrated = keysOf(promptsOf(split, calibration));
    const auto rows = static_cast<int64_t>(split.set.rows.size());
    std::vector<int64_t> order = permutation(rows, seed, kTaskRows);
    if (disjoint)
        std::erase_if(order, [&](int64_t row) {
            return calibrated.contains(promptKey(split.prompts[static_cast<size_t>(row)]));
        });
    const auto available = static_cast<int64_t>(order.size());
    if (n < 0 || n > available || available == 0)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("{} training prompts: {} has {} rows{}", n, printable(split.set.name, 500),
                                available, disjoint ? " besides the calibration examples" : ""));
    if (n == 0)
        n = std::min(available, defaultTrainingSize(split.task));
    order.resize(static_cast<size_t>(n));
    std::sort(order.begin(), order.end());
    TrainingPrompts training;
    for (const int64_t row : order) {
        const DataRow& source = split.set.rows[static_cast<size_t>(row)];
        training.prompts.push_back({source.id, source.own_id, split.prompts[static_cast<size_t>(row)]});
    }
    const std::set<std::string> trained = keysOf(training.prompts);
    for (const TaskPrompt& prompt : promptsOf(split, calibration))
        training.overlap += trained.contains(promptKey(prompt.prompt)) ? 1 : 0;
    training.record = recordOf(split, seed, templates);
    training.record["prompts"] = n;
    training.record["prompts_sha256"] = hashOf(training.prompts);
    training.record["disjoint"] = disjoint;
    training.record["calibration_overlap"] = training.overlap;
    return training;
}

std::string promptLines(const std::vector<TaskPrompt>& prompts) {
    std::string lines;
    for (const TaskPrompt& prompt : prompts)
        lines += Json{{"id", toJson(prompt.id)}, {"prompt", prompt.prompt}}.dump() + "\n";
    return lines;
}

std::vector<TaskPrompt> promptsOf(const TaskSplit& split, const CalibrationSet& calibration) {
    std::vector<TaskPrompt> prompts;
    for (const size_t row : calibration.rows)
        prompts.push_back({split.set.rows[row].id, split.set.rows[row].own_id, split.prompts[row]});
    return prompts;
}

std::string promptKey(const std::string& prompt) {
    return sha256Hex(normalizeBlanks(prompt));
}

void refuseLeaks(const std::vector<TaskPrompt>& used, const std::string& used_name,
                 const std::vector<TaskPrompt>& evaluation, const std::string& evaluation_name) {
    std::map<std::string, const TaskPrompt*> by_key;
    std::set<PromptId> ids;
    for (const TaskPrompt& prompt : evaluation) {
        by_key.emplace(promptKey(prompt.prompt), &prompt);
        if (prompt.own_id)
            ids.insert(prompt.id);
    }
    std::vector<std::string> found;
    for (const TaskPrompt& prompt : used) {
        const auto same = by_key.find(promptKey(prompt.prompt));
        const std::string id = printable(toText(prompt.id), 200);
        if (same != by_key.end())
            found.push_back(
                fmt::format("{} has the prompt of {}", id, printable(toText(same->second->id), 200)));
        else if (prompt.own_id && ids.contains(prompt.id))
            found.push_back(fmt::format("{} has the id of a question", id));
    }
    if (found.empty())
        return;
    const std::string message =
        fmt::format("{} of the {} {} also asked in the evaluation {}: {}", found.size(), used_name,
                    found.size() == 1 ? "is" : "are", evaluation_name, found.front());
    throw listing(ErrorKind::invalid_argument, message, std::move(found));
}

}  // namespace spd
