// task_driver FOLDER TASK NAME [SPAN [tests]]: every row of a data set as a calibration example, by the
// tokenizer of a model's folder; one JSON line a row:
// {"id","prompt","example_prompt","completion","input_ids","targets", "prompt_tokens"} or
// {"id","prompt","missing"}. Used by tests/oracle/test_tasks.py.

#include <iostream>

#include "core/base/error.h"
#include "core/data/tasks/task_data.h"

using namespace spd;

namespace {

nlohmann::ordered_json answer(const TaskSplit& split, size_t row, const PromptTemplates& templates,
                              const CodeOptions& options, const Tokenizer& tokenizer) {
    const DataRow& source = split.set.rows[row];
    nlohmann::ordered_json line = {{"id", toJson(source.id)}, {"prompt", split.prompts[row]}};
    const CalibrationText text = calibrationTextOf(split.task, source.fields, templates, options);
    if (text.spans.empty()) {
        line["missing"] = text.missing;
        return line;
    }
    const CalibrationExample example =
        makeCalibrationExample(source.id, text.prompt, text.completion, text.spans, tokenizer,
                               {.positions = 1 << 20, .vocabulary = 1 << 20});
    line["example_prompt"] = text.prompt;
    line["completion"] = text.completion;
    line["input_ids"] = example.input_ids;
    line["targets"] = example.target_positions;
    line["prompt_tokens"] = example.prompt_tokens;
    return line;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4 || argc > 6) {
        std::cerr << "usage: task_driver FOLDER TASK NAME [SPAN [tests]]\n";
        return 2;
    }
    try {
        const Tokenizer tokenizer = Tokenizer::open(argv[1]);
        const PromptTemplates templates = PromptTemplates::open();
        const TaskSplit split = openTaskSplit(parseTask(argv[2]), argv[3], templates);
        CodeOptions options;
        if (argc > 4)
            options.span = parseCodeSpan(argv[4]);
        options.tests_in_prompt = argc > 5;
        for (size_t row = 0; row < split.set.rows.size(); ++row)
            std::cout << answer(split, row, templates, options, tokenizer).dump() << "\n";
    } catch (const Error& error) {
        std::cerr << error.what() << "\n";
        return error.exitCode();
    }
    return 0;
}
