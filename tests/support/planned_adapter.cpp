#include "tests/support/planned_adapter.h"

#include <bit>
#include <stdexcept>

namespace spd::test {
namespace {

namespace fs = std::filesystem;

std::string nameOf(const std::string& linear, const char* matrix) {
    const size_t dot = linear.find('.');
    return "base_model.model.model.layers." + linear.substr(0, dot) + ".self_attn." + linear.substr(dot + 1) +
           "." + matrix + ".weight";
}

/// Of a number that float16 holds and that is not subnormal there.
uint16_t exactHalf(float value) {
    if (value == 0)
        return 0;
    const auto bits = std::bit_cast<uint32_t>(value);
    const uint32_t exponent = (bits >> 23 & 0xFFu) - 127 + 15;
    return static_cast<uint16_t>((bits >> 16 & 0x8000u) | exponent << 10 | (bits >> 13 & 0x3FFu));
}

template <class Number>
void append(std::string& bytes, Number number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
}

}  // namespace

PlannedTensor& PlannedAdapter::tensor(const std::string& name) {
    for (PlannedTensor& tensor : tensors)
        if (tensor.name == name)
            return tensor;
    throw std::out_of_range(name);
}

PlannedTensor& PlannedAdapter::a(const std::string& linear) {
    return tensor(nameOf(linear, "lora_A"));
}

PlannedTensor& PlannedAdapter::b(const std::string& linear) {
    return tensor(nameOf(linear, "lora_B"));
}

void PlannedAdapter::write(const fs::path& folder) const {
    fs::create_directories(folder);
    writeFile(folder / "adapter_config.json", config.dump(2));
    std::vector<const PlannedTensor*> all;
    for (const PlannedTensor& tensor : tensors)
        all.push_back(&tensor);
    writeFile(folder / "adapter_model.safetensors", safetensorsOf(all));
}

ModelConfig adaptedModel() {
    return parseModelConfig(plannedModel("llama").config.dump(), "config.json");
}

PlannedAdapter plannedAdapter() {
    PlannedAdapter adapter;
    adapter.config = {{"peft_type", "LORA"},
                      {"task_type", "CAUSAL_LM"},
                      {"base_model_name_or_path", "org/base"},
                      {"revision", "0123abcd"},
                      {"r", 2},
                      {"lora_alpha", 4},
                      {"lora_dropout", 0.25},
                      {"bias", "none"},
                      {"target_modules", {"v_proj", "q_proj"}}};
    float first = 0;
    for (const std::string linear : {"0.q_proj", "0.v_proj", "1.q_proj", "1.v_proj"}) {
        adapter.tensors.push_back(countingTensor(nameOf(linear, "lora_A"), {2, 8}, ++first));
        adapter.tensors.push_back(
            countingTensor(nameOf(linear, "lora_B"), {linear.ends_with("q_proj") ? 16 : 8, 2}, ++first));
    }
    return adapter;
}

PlannedTensor plannedTensor(const std::string& name, const std::string& dtype,
                            const std::vector<int64_t>& shape, const std::vector<float>& values) {
    PlannedTensor tensor = {name, dtype, shape, "", ""};
    for (const float value : values)
        if (dtype == "F32")
            append(tensor.bytes, value);
        else if (dtype == "F64")
            append(tensor.bytes, static_cast<double>(value));
        else
            append(tensor.bytes, dtype == "F16"
                                     ? exactHalf(value)
                                     : static_cast<uint16_t>(std::bit_cast<uint32_t>(value) >> 16));
    return tensor;
}

PlannedTensor countingTensor(const std::string& name, const std::vector<int64_t>& shape, float first) {
    std::vector<float> values(static_cast<size_t>(shape[0] * shape[1]));
    for (size_t i = 0; i < values.size(); ++i)
        values[i] = first + static_cast<float>(i) / 64;
    return plannedTensor(name, "F32", shape, values);
}

}  // namespace spd::test
