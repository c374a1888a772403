#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "core/base/on_warning.h"
#include "core/data/tasks/task_data.h"
#include "core/pipeline/calibrate.h"

namespace spd::cli {

/// Where calibration examples come from: a file or a task, one of them.
struct ExampleSource {
    std::filesystem::path examples;  ///< empty: of the task
    std::string task;                ///< empty: of the file
    std::string data;                ///< of the task; empty: its own
    int64_t n = 50;
    uint64_t seed = 42;
    std::string code_span = "first_assertion";
    bool tests_in_prompt = false;
};

/// Of a task, with its rows.
struct TaskExamples {
    TaskSplit split;
    CodeOptions options;
    CalibrationSet set;
};
/// @throws Error as openTaskSplit(), selectCalibration()
TaskExamples readTaskExamples(const ExampleSource& source, const Tokenizer& tokenizer,
                              const ExampleLimits& limits);

ExampleLimits limitsOf(const ModelConfig& config);

/// Fills in the examples and where they came from. Rows of a task that are left out are warned of.
/// @throws Error as readCalibrationExamples(), readTaskExamples()
void readExamples(const ExampleSource& source, const Session& session, CalibrateRequest& request,
                  const OnWarning& on_warning);

}  // namespace spd::cli
