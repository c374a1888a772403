#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "app/cli/common_options.h"
#include "core/io/load_report.h"
#include "core/io/memory_forecast.h"
#include "core/io/model_locator.h"

namespace spd::cli {

/// What spd inspect found.
struct Inspection {
    ModelLocation location;
    LoadReport report;
    ForecastSettings forecast_settings;
    MemoryForecast forecast;
    std::string tokenizer;                  ///< in words; empty where there is none or it was refused
    std::optional<int64_t> tokenizer_size;  ///< one more than its largest id
    std::string template_origin;            ///< the file it was read from; empty where there is none
    std::vector<std::string> oddities;      ///< worth knowing, does not keep the model from loading
    std::vector<std::string> refusals;      ///< why the model or its text side does not load
};

/// @param context  positions of a sequence for the forecast; at most the model's.
/// @throws Error not_found; file_format, unsupported_model where there is nothing to report on; Cancelled
Inspection inspectModel(const std::string& model, int64_t context, const CommonOptions& options,
                        const JobContext& job);

nlohmann::ordered_json inspectionJson(const Inspection& found);

/// Of a model of which nothing but the refusal can be told.
nlohmann::ordered_json refusedInspectionJson(const std::string& model, const Error& error);

/// For people, on standard output; what is wrong comes first. @param all_tensors  a line for each
void printInspection(const Inspection& found, bool all_tensors);

}  // namespace spd::cli
