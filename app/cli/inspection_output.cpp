#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "app/cli/inspection.h"
#include "core/base/error.h"
#include "core/io/safetensors/header.h"

namespace spd::cli {

using nlohmann::ordered_json;
using State = TensorReport::State;

namespace {

ordered_json toJson(const TensorReport& tensor) {
    ordered_json json = {{"name", tensor.name}, {"state", name(tensor.state)}};
    if (tensor.state != State::missing) {
        json["dtype"] = tensor.type;
        json["shape"] = tensor.shape;
        json["file"] = tensor.file;
    }
    if (tensor.state != State::unused)
        json["expected_shape"] = tensor.expected_shape;
    return json;
}

ordered_json ropeJson(const RopeConfig& rope) {
    if (rope.kind == RopeConfig::Kind::plain)
        return {{"kind", "default"}, {"theta", rope.theta}};
    return {{"kind", "llama3"},
            {"theta", rope.theta},
            {"factor", rope.factor},
            {"low_freq_factor", rope.low_freq_factor},
            {"high_freq_factor", rope.high_freq_factor},
            {"original_max_position_embeddings", rope.original_max_position_embeddings}};
}

ordered_json configJson(const ModelConfig& config) {
    return {{"hidden_size", config.hidden_size},
            {"intermediate_size", config.intermediate_size},
            {"num_hidden_layers", config.num_hidden_layers},
            {"num_attention_heads", config.num_attention_heads},
            {"num_key_value_heads", config.num_key_value_heads},
            {"head_dim", config.head_dim},
            {"vocab_size", config.vocab_size},
            {"max_position_embeddings", config.max_position_embeddings},
            {"rms_norm_eps", config.rms_norm_eps},
            {"tie_word_embeddings", config.tie_word_embeddings},
            {"qkv_bias", config.qkv_bias},
            {"o_bias", config.o_bias},
            {"mlp_bias", config.mlp_bias},
            {"qk_norm", config.qk_norm},
            {"dtype", name(config.dtype)},
            {"bos_token_id", config.bos_token_id ? ordered_json(*config.bos_token_id) : ordered_json()},
            {"eos_token_ids", config.eos_token_ids}};
}

ordered_json memoryJson(const ForecastSettings& settings, const MemoryForecast& forecast) {
    return {{"dtype", name(settings.dtype)},
            {"context", settings.context},
            {"slots", settings.slots},
            {"weights_bytes", forecast.weights},
            {"kv_cache_bytes_per_slot", forecast.kv_cache_per_slot},
            {"generate_bytes", forecast.generate},
            {"calibrate_bytes", forecast.calibrate},
            {"train_bytes", forecast.train}};
}

}  // namespace

ordered_json inspectionJson(const Inspection& found) {
    const LoadReport& report = found.report;
    const ModelConfig& config = report.config;
    ordered_json tensors = ordered_json::array();
    for (const TensorReport& tensor : report.tensors)
        tensors.push_back(toJson(tensor));
    const int64_t size = found.tokenizer_size.value_or(0);
    return {
        {"model",
         {{"id", found.location.id},
          {"folder", found.location.folder.string()},
          {"revision", found.location.revision}}},
        {"loads", found.refusals.empty()},
        {"refusals", found.refusals},
        {"oddities", found.oddities},
        {"architecture", config.architecture},
        {"parameters", report.parameters},
        {"kv_width", config.kvWidth()},
        {"tied", config.tie_word_embeddings},
        {"rope", ropeJson(config.rope)},
        {"config", configJson(config)},
        {"stored",
         {{"types", report.type_counts}, {"bytes", report.stored_bytes}, {"files", report.file_count}}},
        {"vocabulary",
         {{"rows", config.vocab_size},
          {"tokenizer_size", found.tokenizer_size ? ordered_json(size) : ordered_json()},
          {"padded_rows", found.tokenizer_size ? ordered_json(config.vocab_size - size) : ordered_json()}}},
        {"tokenizer", found.tokenizer.empty() ? ordered_json() : ordered_json(found.tokenizer)},
        {"chat_template",
         found.template_origin.empty() ? ordered_json() : ordered_json(found.template_origin)},
        {"memory", memoryJson(found.forecast_settings, found.forecast)},
        {"counts",
         {{"found", report.count(State::found)},
          {"missing", report.count(State::missing)},
          {"wrong_shape", report.count(State::wrong_shape)},
          {"wrong_type", report.count(State::wrong_type)},
          {"unused", report.count(State::unused)}}},
        {"tensors", tensors}};
}

namespace {

std::string bytesText(int64_t bytes) {
    const double mebibytes = static_cast<double>(bytes) / (1 << 20);
    return mebibytes < 1024 ? fmt::format("{:.1f} MiB", mebibytes)
                            : fmt::format("{:.2f} GiB", mebibytes / 1024);
}

std::string ropeText(const RopeConfig& rope) {
    if (rope.kind == RopeConfig::Kind::plain)
        return fmt::format("default, theta {}", rope.theta);
    return fmt::format("llama3, theta {}, factor {}, trained on {} positions", rope.theta, rope.factor,
                       rope.original_max_position_embeddings);
}

std::string storedText(const LoadReport& report) {
    std::vector<std::string> types;
    for (const auto& [type, count] : report.type_counts)
        types.push_back(fmt::format("{} x {}", count, type));
    return fmt::format("{} in {} {} ({}); config.json declares {}", bytesText(report.stored_bytes),
                       report.file_count, report.file_count == 1 ? "file" : "files", fmt::join(types, ", "),
                       name(report.config.dtype));
}

std::string vocabularyText(const Inspection& found) {
    const int64_t rows = found.report.config.vocab_size;
    if (!found.tokenizer_size)
        return fmt::format("{} rows", rows);
    return fmt::format("{} rows, {} of them without a token (padding)", rows,
                       std::max<int64_t>(rows - *found.tokenizer_size, 0));
}

void line(std::string_view subject, const std::string& text) {
    fmt::print("{:<13}{}\n", subject, text);
}

void printMemory(const ForecastSettings& settings, const MemoryForecast& forecast) {
    line("generate",
         fmt::format("{} in {}: weights {}, each of {} slots {} at {} positions",
                     bytesText(forecast.generate), name(settings.dtype), bytesText(forecast.weights),
                     settings.slots, bytesText(forecast.kv_cache_per_slot), settings.context));
    line("calibrate", fmt::format("about {} in float32, examples of {} tokens", bytesText(forecast.calibrate),
                                  settings.example_tokens));
    line("train", fmt::format("about {} in {}, LoRA r {}, sequences of {} tokens", bytesText(forecast.train),
                              name(settings.dtype), settings.lora_rank, settings.sequence_tokens));
}

/// What is not as it should be first, then by name.
void printTensors(const LoadReport& report) {
    for (const bool found : {false, true})
        for (const TensorReport& tensor : report.tensors) {
            if ((tensor.state == State::found) != found)
                continue;
            std::string text = printable(tensor.name, 120);
            if (tensor.state != State::missing)
                text +=
                    fmt::format(" {} {} in {}", tensor.type, shapeText(tensor.shape), printable(tensor.file));
            if (tensor.state == State::missing || tensor.state == State::wrong_shape)
                text += fmt::format(", expected {}", shapeText(tensor.expected_shape));
            line(name(tensor.state), text);
        }
}

}  // namespace

void printInspection(const Inspection& found, bool all_tensors) {
    const LoadReport& report = found.report;
    const ModelConfig& config = report.config;
    for (const std::string& refusal : found.refusals)
        line("refused", refusal);
    for (const std::string& oddity : found.oddities)
        line("note", oddity);
    line("model", printable(found.location.id, 500) +
                      (found.location.revision.empty() ? "" : " at commit " + found.location.revision));
    line("folder", printable(found.location.folder.string(), 1000));
    line("architecture",
         fmt::format("{}: {} layers, hidden {}, {} heads of {}, {} KV heads (d = {}), feed-forward {}",
                     config.architecture, config.num_hidden_layers, config.hidden_size,
                     config.num_attention_heads, config.head_dim, config.num_key_value_heads,
                     config.kvWidth(), config.intermediate_size));
    line("parameters",
         fmt::format("{} ({} head)", report.parameters, config.tie_word_embeddings ? "tied" : "untied"));
    line("positions", fmt::format("{}, RoPE {}", config.max_position_embeddings, ropeText(config.rope)));
    line("stored", storedText(report));
    line("tensors",
         fmt::format("{} found, {} missing, {} of the wrong shape, {} of the wrong type, {} unused",
                     report.count(State::found), report.count(State::missing),
                     report.count(State::wrong_shape), report.count(State::wrong_type),
                     report.count(State::unused)));
    line("vocabulary", vocabularyText(found));
    line("EOS ids", fmt::format("{}", fmt::join(config.eos_token_ids, ", ")));
    line("tokenizer", found.tokenizer.empty() ? "none" : found.tokenizer);
    line("template", found.template_origin.empty() ? "none" : found.template_origin);
    printMemory(found.forecast_settings, found.forecast);
    if (all_tensors)
        printTensors(report);
}

}  // namespace spd::cli
