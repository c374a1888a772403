// tasks.list, calibration.examples.

#include "app/cli/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "app/cli/engine/engine_messages.h"
#include "core/base/error.h"
#include "core/data/json_lines.h"
#include "core/data/tasks/evaluation_questions.h"
#include "core/protocol/params.h"
#include "core/text/token_texts.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;
using protocol::Code;
using protocol::Params;
using protocol::Refusal;

ordered_json shippedSets() {
    ordered_json sets = ordered_json::array();
    for (const std::string& name : shippedDataSets())
        sets.push_back(
            {{"name", name}, {"rows", openDataSet(name).rows.size()}, {"licence", licenceOf(name)}});
    return sets;
}

ordered_json listTasks(ordered_json& sets, const ordered_json& json) {
    Params(json).refuseOthers();
    if (sets.is_null())
        sets = shippedSets();  // they come with the program: counted once
    ordered_json tasks = ordered_json::array();
    for (const TaskKind task : {TaskKind::math, TaskKind::code, TaskKind::qa})
        tasks.push_back({{"task", name(task)},
                         {"data", defaultDataSet(task)},
                         {"training_prompts", defaultTrainingSize(task)}});
    return {{"tasks", tasks}, {"data_sets", sets}};
}

/// An example as a person edits it, and as the model will see it.
struct Row {
    ordered_json source;  ///< {"id","prompt","completion","spans"}, or {"id","input_ids","target_positions"}
    std::optional<CalibrationExample> example;
    std::string problem;  ///< why there is none
};

ordered_json toJson(const Row& row, const Tokenizer& tokenizer) {
    ordered_json json = row.source;
    json["problem"] = row.problem.empty() ? ordered_json() : ordered_json(row.problem);
    if (!row.example)
        return json;
    const CalibrationExample& example = *row.example;
    json["id"] = spd::toJson(example.id);
    json["ids"] = example.input_ids;
    json["texts"] = tokenTexts(tokenizer, example.input_ids);
    json["prompt_tokens"] = nullptr;
    if (example.prompt_tokens != CalibrationExample::kUnknown)
        json["prompt_tokens"] = example.prompt_tokens;
    json["targets"] = example.target_positions;
    return json;
}

Row readRow(int64_t line, const ordered_json& source, const Tokenizer& tokenizer,
            const ExampleLimits& limits) {
    Row row;
    for (const char* field : {"id", "prompt", "completion", "spans", "input_ids", "target_positions"})
        if (const auto found = source.find(field); found != source.end())
            row.source[field] = *found;
    if (!row.source.contains("id"))
        row.source["id"] = line;
    try {
        row.example = readCalibrationExample(line, source, tokenizer, limits);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::file_format)
            throw;
        row.problem = error.what();
    }
    return row;
}

/// Rows that an earlier one has taken the id of.
void markTwins(std::vector<Row>& rows) {
    std::map<std::string, size_t> first;
    for (size_t i = 0; i < rows.size(); ++i) {
        const auto [at, is_new] = first.try_emplace(rows[i].source["id"].dump(), i);
        if (is_new)
            continue;
        rows[i].example.reset();
        rows[i].problem = fmt::format("has the id of line {}", at->second + 1);
    }
}

std::vector<Row> rowsOfFile(const std::string& path, const Tokenizer& tokenizer,
                            const ExampleLimits& limits) {
    std::vector<Row> rows;
    readJsonLines(path, [&](int64_t line, const ordered_json& row) {
        rows.push_back(readRow(line, row, tokenizer, limits));
    });
    markTwins(rows);
    return rows;
}

std::vector<Row> rowsOfList(const ordered_json& list, const Tokenizer& tokenizer,
                            const ExampleLimits& limits) {
    std::vector<Row> rows;
    for (const ordered_json& row : list) {
        if (!row.is_object())
            throw Refusal(Code::invalid_params, "examples: must be a list of objects");
        rows.push_back(readRow(static_cast<int64_t>(rows.size()), row, tokenizer, limits));
    }
    markTwins(rows);
    return rows;
}

ordered_json sourceOf(const TaskExamples& found, size_t row, const PromptTemplates& templates) {
    const DataRow& data = found.split.set.rows[row];
    const CalibrationText text = calibrationTextOf(found.split.task, data.fields, templates, found.options);
    const CharacterOffsets characters(text.completion);
    ordered_json spans = ordered_json::array();
    for (const TextRange& span : text.spans) {
        const TextRange range = characters.of(span.begin, span.end);
        spans.push_back({range.begin, range.end});
    }
    return {{"id", spd::toJson(data.id)},
            {"prompt", text.prompt},
            {"completion", text.completion},
            {"spans", spans}};
}

std::vector<Row> rowsOfTask(const TaskExamples& found) {
    const PromptTemplates templates = PromptTemplates::open();
    std::vector<Row> rows;
    for (size_t i = 0; i < found.set.examples.size(); ++i)
        rows.push_back({sourceOf(found, found.set.rows[i], templates), found.set.examples[i], ""});
    for (const LeftOutRow& row : found.set.left_out)
        rows.push_back({{{"id", spd::toJson(row.id)}}, std::nullopt, row.reason});
    return rows;
}

/// What of the examples is also trained on or asked in an evaluation.
ordered_json overlapOf(const TaskExamples& found, int64_t n_train, uint64_t seed,
                       const std::vector<std::string>& evaluations) {
    const PromptTemplates templates = PromptTemplates::open();
    const TrainingPrompts training =
        selectTraining(found.split, n_train, seed, found.set, /*disjoint=*/false, templates);
    ordered_json leaks = ordered_json::array();
    for (const std::string& task : evaluations) {
        const std::vector<TaskPrompt> asked = promptsOf(evaluationQuestions(task, 0, templates));
        try {
            refuseLeaks(promptsOf(found.split, found.set),
                        fmt::format("calibration examples of {}", found.split.set.name), asked, task);
        } catch (const Error& error) {
            leaks.push_back({{"task", task}, {"message", error.what()}, {"details", error.details()}});
        }
    }
    return {{"training_prompts", training.prompts.size()},
            {"also_trained_on", training.overlap},
            {"leaks", leaks}};
}

/// The part that was asked for, and numbers over all.
ordered_json answerOf(const std::vector<Row>& rows, int64_t from, int64_t limit, const Tokenizer& tokenizer) {
    ordered_json list = ordered_json::array();
    int64_t usable = 0;
    const auto end = std::min(static_cast<int64_t>(rows.size()), from + limit);
    for (int64_t i = from; i < end; ++i)
        list.push_back(toJson(rows[static_cast<size_t>(i)], tokenizer));
    for (const Row& row : rows)
        usable += row.example ? 1 : 0;
    return {{"examples", list}, {"total", rows.size()}, {"usable", usable}};
}

ordered_json examples(Workplace& workplace, const ordered_json& json) {
    Params params(json);
    const std::string model = params.text("model");
    const ExampleSource source = exampleSourceOf(params);
    const int64_t from = params.integer("from", 0);
    const int64_t limit = params.integer("limit", 200);
    const int64_t n_train = params.integer("n_train", 0);
    const std::vector<std::string> evaluations = params.texts("evaluate");
    const ordered_json list = json.value("examples", ordered_json());
    params.has("examples");
    params.refuseOthers();
    if (from < 0 || limit < 1 || limit > 1000)
        throw Refusal(Code::invalid_params, "from must not be negative, limit lie in [1, 1000]");
    requireOneSource(source, list);
    const ModelText& text = workplace.text(model);
    const ExampleLimits limits = limitsOf(readModelConfig(text.location.folder));
    if (source.task.empty())
        return answerOf(list.is_null() ? rowsOfFile(source.examples, text.tokenizer, limits)
                                       : rowsOfList(list, text.tokenizer, limits),
                        from, limit, text.tokenizer);
    const TaskExamples found = readTaskExamples(source, text.tokenizer, limits);
    ordered_json answer = answerOf(rowsOfTask(found), from, limit, text.tokenizer);
    answer["source"] = found.set.record;
    answer["overlap"] = overlapOf(found, n_train, source.seed, evaluations);
    return answer;
}

}  // namespace

ExampleSource exampleSourceOf(Params& params) {
    ExampleSource source;
    source.examples = params.text("path", "");
    source.task = params.text("task", "");
    source.data = params.text("data", "");
    source.n = params.integer("n", source.n);
    source.seed = seedOf(params);
    source.code_span = params.text("code_span", source.code_span);
    source.tests_in_prompt = params.flag("tests_in_prompt", false);
    if (!source.task.empty())
        parseTask(source.task);
    parseCodeSpan(source.code_span);
    return source;
}

void requireOneSource(const ExampleSource& source, const ordered_json& list) {
    if (!source.examples.empty() + !source.task.empty() + !list.is_null() != 1)
        throw Refusal(Code::invalid_params, "the examples come from task, path or examples, one of them");
    if (!list.is_null() && !list.is_array())
        throw Refusal(Code::invalid_params, "examples: must be a list of objects");
}

uint64_t seedOf(Params& params) {
    const int64_t seed = params.integer("seed", 42);
    if (seed < 0)
        throw Refusal(Code::invalid_params, "seed: must not be negative");
    return static_cast<uint64_t>(seed);
}

void addCalibrationMessages(engine::Server& server, Workplace& workplace) {
    auto sets = std::make_shared<ordered_json>();
    server.addQuery("tasks.list", [sets](const ordered_json& params) { return listTasks(*sets, params); });
    server.addQuery("calibration.examples",
                    [&workplace](const ordered_json& params) { return examples(workplace, params); });
}

}  // namespace spd::cli
