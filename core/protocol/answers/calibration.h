#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/answers/json_parts.h"

namespace spd::protocol {

/// A row of calibration.examples: as a person edits it, and as the model sees it.
struct ExampleRow {
    nlohmann::ordered_json id;  ///< a string or an integer
    std::string prompt;
    std::string completion;
    std::vector<CharRange> spans;  ///< of the completion
    bool has_text = false;         ///< false: only token ids were given; then it has no spans
    std::string problem;           ///< why it cannot be used; empty: it can
    std::vector<int32_t> ids;
    std::vector<std::string> texts;        ///< [ids]
    std::optional<int64_t> prompt_tokens;  ///< the first of ids that are the prompt's
    std::vector<int64_t> targets;          ///< S: positions in ids, ascending

    /// What a "calibrate" job or the command line takes of it.
    nlohmann::ordered_json source() const;
    /// @throws Refusal invalid_params
    static ExampleRow fromJson(const nlohmann::ordered_json& json);
};

/// Examples that an evaluation would ask too.
struct Leak {
    std::string task;
    std::string message;
    std::vector<std::string> details;
};

struct ExampleOverlap {
    int64_t training_prompts = 0;
    int64_t also_trained_on = 0;
    std::vector<Leak> leaks;
};

/// What calibration.examples answers.
struct ExampleList {
    std::vector<ExampleRow> examples;
    int64_t total = 0;
    int64_t usable = 0;
    std::optional<ExampleOverlap> overlap;  ///< only for a task

    /// @throws Refusal invalid_params
    static ExampleList fromJson(const nlohmann::ordered_json& json);
};

/// What tasks.list answers.
struct TaskList {
    struct Task {
        std::string task;
        std::string data;  ///< its own data set
        int64_t training_prompts = 0;
    };
    struct DataSet {
        std::string name;
        int64_t rows = 0;
        std::string licence;
    };
    std::vector<Task> tasks;
    std::vector<DataSet> data_sets;

    /// @throws Refusal invalid_params
    static TaskList fromJson(const nlohmann::ordered_json& json);
};

}  // namespace spd::protocol
