#include "core/io/config/rope.h"

#include <fmt/format.h>

namespace spd {
namespace {

std::string ropeTypeOf(const JsonFields& parameters) {
    if (const auto type = parameters.text("rope_type"))
        return *type;
    return parameters.text("type").value_or("default");
}

void refusePartialRotation(const JsonFields& fields) {
    const std::optional<double> factor = fields.positiveNumber("partial_rotary_factor");
    if (factor && *factor != 1.0)
        fields.refuseUnsupported("partial_rotary_factor", "rotating a part of each head is not supported");
}

double requiredPositive(const JsonFields& parameters, std::string_view key) {
    const std::optional<double> value = parameters.positiveNumber(key);
    if (!value)
        parameters.refuse(key, "is missing, rope_type llama3 needs it");
    return *value;
}

void readLlama3(const JsonFields& parameters, int64_t max_position_embeddings, RopeConfig& rope) {
    rope.kind = RopeConfig::Kind::llama3;
    rope.factor = requiredPositive(parameters, "factor");
    rope.low_freq_factor = requiredPositive(parameters, "low_freq_factor");
    rope.high_freq_factor = requiredPositive(parameters, "high_freq_factor");
    if (rope.high_freq_factor <= rope.low_freq_factor)
        parameters.refuse("high_freq_factor", "must be above low_freq_factor");
    rope.original_max_position_embeddings =
        parameters.integer("original_max_position_embeddings", 1, INT32_MAX)
            .value_or(max_position_embeddings);
}

/// The object that holds the parameters, if there is one.
std::optional<JsonFields> parametersOf(const JsonFields& config) {
    const std::optional<JsonFields> scaling = config.object("rope_scaling");
    if (scaling && !scaling->json().empty())
        return scaling;
    return config.object("rope_parameters");
}

}  // namespace

RopeConfig readRopeConfig(const JsonFields& config, int64_t max_position_embeddings) {
    RopeConfig rope;
    rope.theta = config.positiveNumber("rope_theta").value_or(rope.theta);
    refusePartialRotation(config);
    const std::optional<JsonFields> parameters = parametersOf(config);
    if (!parameters)
        return rope;
    for (const auto& [key, value] : parameters->json().items())
        if (value.is_object())
            parameters->refuseUnsupported(key,
                                          "rotary embeddings that differ between layers are not supported");
    refusePartialRotation(*parameters);
    rope.theta = parameters->positiveNumber("rope_theta").value_or(rope.theta);
    const std::string type = ropeTypeOf(*parameters);
    if (type == "llama3")
        readLlama3(*parameters, max_position_embeddings, rope);
    else if (type != "default")
        parameters->refuseUnsupported(
            "rope_type",
            fmt::format("\"{}\" is not supported, only default and llama3", printable(type, 60)));
    return rope;
}

}  // namespace spd
