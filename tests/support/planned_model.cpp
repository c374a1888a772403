#include "tests/support/planned_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>

#include "tests/support/hostile_safetensors.h"

namespace spd::test {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

const char* const second_shard = "model-00002-of-00002.safetensors";

std::string randomElements(const std::string& dtype, int64_t count, std::mt19937& random) {
    const auto draw = [&random] { return static_cast<uint32_t>(random()); };
    std::string bytes;
    for (int64_t i = 0; i < count; ++i) {
        const uint32_t sign = draw() & 1u;
        if (dtype == "F32") {
            const uint32_t exponent = i % 17 == 0 ? 0 : 100 + draw() % 40;
            const uint32_t bits = sign << 31 | exponent << 23 | (draw() & 0x7FFFFFu);
            bytes.append(reinterpret_cast<const char*>(&bits), 4);
        } else {
            const auto f16 = static_cast<uint16_t>(sign << 15 | draw() % 0x7C00u);
            const uint32_t exponent = i % 17 == 0 ? 0 : 100 + draw() % 40;
            const auto bf16 = static_cast<uint16_t>(sign << 15 | exponent << 7 | (draw() & 0x7Fu));
            bytes.append(reinterpret_cast<const char*>(dtype == "F16" ? &f16 : &bf16), 2);
        }
    }
    return bytes;
}

Json configOf(const std::string& model_type, const std::string& dtype) {
    const std::map<std::string, std::string> classes = {
        {"llama", "LlamaForCausalLM"}, {"qwen2", "Qwen2ForCausalLM"}, {"qwen3", "Qwen3ForCausalLM"}};
    return {{"model_type", model_type},
            {"architectures", {classes.at(model_type)}},
            {"hidden_size", 8},
            {"intermediate_size", 12},
            {"num_hidden_layers", 2},
            {"num_attention_heads", 4},
            {"num_key_value_heads", 2},
            {"head_dim", 4},
            {"vocab_size", 11},
            {"max_position_embeddings", 64},
            {"rms_norm_eps", 1e-6},
            {"rope_theta", 10000.0},
            {"tie_word_embeddings", false},
            {"bos_token_id", 1},
            {"eos_token_id", 2},
            {"torch_dtype", dtype == "F32"   ? "float32"
                            : dtype == "F16" ? "float16"
                                             : "bfloat16"}};
}

}  // namespace

std::string safetensorsOf(const std::vector<const PlannedTensor*>& tensors) {
    Json header = Json::object();
    std::string data;
    for (const PlannedTensor* tensor : tensors) {
        header[tensor->name] = {{"dtype", tensor->dtype},
                                {"shape", tensor->shape},
                                {"data_offsets", {data.size(), data.size() + tensor->bytes.size()}}};
        data += tensor->bytes;
    }
    return safetensorsFile(header.dump(), data);
}

PlannedTensor& PlannedModel::tensor(const std::string& name) {
    for (PlannedTensor& tensor : tensors)
        if (tensor.name == name)
            return tensor;
    throw std::out_of_range(name);
}

void PlannedModel::remove(const std::string& name) {
    std::erase_if(tensors, [&name](const PlannedTensor& tensor) { return tensor.name == name; });
}

void PlannedModel::writeConfig(const fs::path& folder) const {
    fs::create_directories(folder);
    writeFile(folder / "config.json", config.dump());
}

void PlannedModel::writeSingle(const fs::path& folder) const {
    writeConfig(folder);
    std::vector<const PlannedTensor*> all;
    for (const PlannedTensor& tensor : tensors)
        all.push_back(&tensor);
    writeFile(folder / "model.safetensors", safetensorsOf(all));
}

Json PlannedModel::index() const {
    Json map = Json::object();
    size_t total = 0;
    for (const PlannedTensor& tensor : tensors) {
        map[tensor.name] = tensor.shard;
        total += tensor.bytes.size();
    }
    return {{"metadata", {{"total_size", total}}}, {"weight_map", map}};
}

void PlannedModel::writeShards(const fs::path& folder) const {
    writeConfig(folder);
    std::map<std::string, std::vector<const PlannedTensor*>> shards;
    for (const PlannedTensor& tensor : tensors)
        shards[tensor.shard].push_back(&tensor);
    for (const auto& [shard, held] : shards)
        writeFile(folder / shard, safetensorsOf(held));
}

void PlannedModel::writeSharded(const fs::path& folder) const {
    writeShards(folder);
    writeFile(folder / "model.safetensors.index.json", index().dump());
}

PlannedModel plannedModel(const std::string& model_type, const std::string& dtype, uint32_t seed) {
    PlannedModel model;
    model.config = configOf(model_type, dtype);
    std::mt19937 random(seed);
    const auto add = [&](const std::string& name, std::vector<int64_t> shape, bool in_second = false) {
        int64_t count = 1;
        for (const int64_t dimension : shape)
            count *= dimension;
        model.tensors.push_back({name, dtype, std::move(shape), randomElements(dtype, count, random)});
        if (in_second)
            model.tensors.back().shard = second_shard;
    };
    add("model.embed_tokens.weight", {11, 8});
    for (int layer = 0; layer < 2; ++layer) {
        const std::string prefix = fmt::format("model.layers.{}.", layer);
        const auto in_layer = [&](const std::string& name, std::vector<int64_t> shape) {
            add(prefix + name, std::move(shape), layer == 1);
        };
        in_layer("input_layernorm.weight", {8});
        in_layer("self_attn.q_proj.weight", {16, 8});
        in_layer("self_attn.k_proj.weight", {8, 8});
        in_layer("self_attn.v_proj.weight", {8, 8});
        in_layer("self_attn.o_proj.weight", {8, 16});
        if (model_type == "qwen2") {
            in_layer("self_attn.q_proj.bias", {16});
            in_layer("self_attn.k_proj.bias", {8});
            in_layer("self_attn.v_proj.bias", {8});
        }
        if (model_type == "qwen3") {
            in_layer("self_attn.q_norm.weight", {4});
            in_layer("self_attn.k_norm.weight", {4});
        }
        in_layer("post_attention_layernorm.weight", {8});
        in_layer("mlp.gate_proj.weight", {12, 8});
        in_layer("mlp.up_proj.weight", {12, 8});
        in_layer("mlp.down_proj.weight", {8, 12});
    }
    add("model.norm.weight", {8});
    add("lm_head.weight", {11, 8}, true);
    return model;
}

void writeFile(const fs::path& path, const std::string& bytes) {
    fs::remove(path);  // emptying an old file makes ext4 write the new one to the disk at once
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << bytes;
    if (!out.flush())
        throw std::runtime_error("cannot write " + path.string());
}

}  // namespace spd::test
