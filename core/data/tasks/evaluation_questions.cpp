#include "core/data/tasks/evaluation_questions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/sha256.h"
#include "core/data/json_lines.h"
#include "core/data/permutation.h"
#include "core/data/tasks/spans.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kSeed = 42;

struct Benchmark {
    const char* name;
    const char* data_set;
    TaskKind task;
    int64_t paper_size;
};
constexpr std::array<Benchmark, 4> kBenchmarks = {{{"gsm8k", "gsm8k/test", TaskKind::math, 100},
                                                   {"svamp", "svamp/all", TaskKind::math, 100},
                                                   {"mbpp", "mbpp/sanitized-test", TaskKind::code, 257},
                                                   {"mmlu", "mmlu/test", TaskKind::qa, 200}}};

const Benchmark& benchmarkOf(const std::string& task) {
    for (const Benchmark& benchmark : kBenchmarks)
        if (task == benchmark.name)
            return benchmark;
    throw Error(ErrorKind::invalid_argument,
                "no evaluation is called " + printable(task, 80) + ": there are gsm8k, svamp, mbpp and mmlu");
}

std::string goldOf(const Benchmark& benchmark, const DataRow& row) {
    if (benchmark.task == TaskKind::code)
        return "";
    const std::string& answer = requireString(row.fields, "answer");
    const std::string gold =
        benchmark.data_set == std::string_view("gsm8k/test") ? answerNumberText(answer) : answer;
    if (gold.empty())
        throw Error::fileFormat(benchmark.data_set, toText(row.id), "no gold answer");
    return gold;
}

}  // namespace

EvaluationQuestions evaluationQuestions(const std::string& task, int64_t limit,
                                        const PromptTemplates& templates) {
    const Benchmark& benchmark = benchmarkOf(task);
    if (limit < 0)
        throw Error(ErrorKind::invalid_argument, fmt::format("a limit of {} questions", limit));
    const TaskSplit split = openTaskSplit(benchmark.task, benchmark.data_set, templates);
    std::vector<int64_t> order =
        permutation(static_cast<int64_t>(split.set.rows.size()), kSeed, kEvaluationRows);
    const auto wanted = static_cast<size_t>(limit == 0 ? benchmark.paper_size : limit);
    order.resize(std::min(order.size(), wanted));
    std::sort(order.begin(), order.end());
    EvaluationQuestions set = {.task = task, .questions = {}, .record = {}};
    std::string all;
    for (const int64_t i : order) {
        const DataRow& row = split.set.rows[static_cast<size_t>(i)];
        const std::string& prompt = split.prompts[static_cast<size_t>(i)];
        set.questions.push_back({{row.id, row.own_id, prompt}, goldOf(benchmark, row), row.fields});
        all += fmt::format("{} {} {}\n", toText(row.id), sha256Hex(prompt), set.questions.back().gold);
    }
    set.record = {{"task", task},
                  {"data_set", split.set.name},
                  {"data_sha256", split.set.sha256},
                  {"templates_sha256", templates.sha256(name(split.task))},
                  {"questions", set.questions.size()},
                  {"questions_sha256", sha256Hex(all)}};
    return set;
}

std::vector<TaskPrompt> promptsOf(const EvaluationQuestions& questions) {
    std::vector<TaskPrompt> prompts;
    for (const EvaluationQuestion& question : questions.questions)
        prompts.push_back(question.task);
    return prompts;
}

}  // namespace spd
