#include "core/io/adapter/tensor_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/base/error.h"
#include "core/io/adapter/peft_config.h"

namespace spd {
namespace {

constexpr std::string_view prefix = "base_model.model.";
constexpr std::string_view layers = "base_model.model.model.layers.";

struct Unsupported {
    std::string_view part;
    std::string_view what;
};

constexpr Unsupported unsupported[] = {
    {"lora_magnitude_vector", "a DoRA magnitude, which is not supported"},
    {"lora_embedding_", "LoRA of an embedding, which is not supported"},
    {".modules_to_save.", "a whole trained module, which is not supported"},
    {".mlp.gate_proj.", "LoRA of gate_proj; only q_proj, k_proj, v_proj and o_proj are supported"},
    {".mlp.up_proj.", "LoRA of up_proj; only q_proj, k_proj, v_proj and o_proj are supported"},
    {".mlp.down_proj.", "LoRA of down_proj; only q_proj, k_proj, v_proj and o_proj are supported"},
    {"lm_head.", "a weight of lm_head; only q_proj, k_proj, v_proj and o_proj are supported"},
    {"_proj.bias", "a trained bias, which is not supported"},
    {".base_layer.bias", "a trained bias, which is not supported"},
    {".lora_B.bias", "a bias of LoRA, which is not supported"},
};

}  // namespace

std::string loraTensorName(int64_t layer, AttentionLinear linear, bool is_a) {
    return fmt::format("{}{}.lora_{}.weight", prefix, modulePath(layer, linear), is_a ? 'A' : 'B');
}

std::optional<LoraTensorName> parseLoraTensorName(std::string_view name, const ModelConfig& config) {
    if (!name.starts_with(layers))
        return std::nullopt;
    LoraTensorName found;
    const std::string_view rest = name.substr(layers.size());
    if (std::from_chars(rest.data(), rest.data() + rest.size(), found.layer).ec != std::errc() ||
        found.layer < 0 || found.layer >= config.num_hidden_layers)
        return std::nullopt;
    for (const AttentionLinear linear : kAttentionLinears)
        for (const bool is_a : {true, false})
            // Compared as written by us, so that "00" or "+0" is no layer.
            if (name == loraTensorName(found.layer, linear, is_a))
                return LoraTensorName{found.layer, linear, is_a};
    return std::nullopt;
}

void refuseTensorName(const std::string& file, const std::string& name, const ModelConfig& config) {
    const std::string position = fmt::format("tensor \"{}\"", printable(name, 160));
    const auto* known =
        std::find_if(std::begin(unsupported), std::end(unsupported),
                     [&](const Unsupported& u) { return name.find(u.part) != std::string::npos; });
    if (known != std::end(unsupported)) {
        const Error same_wording = Error::fileFormat(file, position, known->what);
        throw Error(ErrorKind::unsupported_model, same_wording.what());
    }
    throw Error::fileFormat(file, position,
                            fmt::format("is no LoRA tensor of this model ({} with {} layers)",
                                        config.architecture, config.num_hidden_layers));
}

}  // namespace spd
