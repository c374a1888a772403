#include "core/io/adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/contained_folder.h"
#include "core/base/error.h"
#include "core/base/machine.h"
#include "core/io/adapter/peft_config.h"
#include "core/io/adapter/tensor_names.h"
#include "core/io/safetensors/file.h"
#include "core/io/weights/pickle.h"
#include "core/io/weights/tensor_check.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

std::string describe(const std::string& tensor) {
    return fmt::format("tensor \"{}\"", printable(tensor, 160));
}

/// The two tensors of a module as they are stored; nullptr for one that is not.
struct StoredModule {
    const TensorEntry* a = nullptr;
    const TensorEntry* b = nullptr;
};

/// By layer, then linear.
using StoredModules = std::map<std::pair<int64_t, AttentionLinear>, StoredModule>;

SafetensorsFile openTensors(const ContainedFolder& folder) {
    if (!folder.has(kAdapterTensors))
        if (const std::string pickle = pickleIn(folder.path()); !pickle.empty())
            throw Error::fileFormat(folder.nameOf(pickle), "",
                                    "a pickle file, which can run code when it is loaded and is never "
                                    "opened; save the adapter as safetensors");
    return SafetensorsFile::open(folder, kAdapterTensors);
}

StoredModules sortTensors(const SafetensorsFile& file, const ModelConfig& config) {
    StoredModules modules;
    for (const TensorEntry& tensor : file.header().tensors) {
        const std::optional<LoraTensorName> name = parseLoraTensorName(tensor.name, config);
        if (!name)
            refuseTensorName(file.name(), tensor.name, config);
        if (!computableType(tensor.type))
            throw Error(
                ErrorKind::unsupported_model,
                fmt::format("{}: {}: is stored as {}, only F32, BF16 and F16 are supported",
                            printable(file.name(), 1000), describe(tensor.name), spd::name(tensor.type)));
        StoredModule& module = modules[{name->layer, name->linear}];
        (name->is_a ? module.a : module.b) = &tensor;
    }
    if (modules.empty())
        throw Error::fileFormat(file.name(), "", "holds no tensors");
    return modules;
}

void checkShape(const std::string& file, const TensorEntry& tensor, const std::vector<int64_t>& expected) {
    if (tensor.shape != expected)
        throw Error::fileFormat(file, describe(tensor.name),
                                fmt::format("has shape {}, this model and adapter_config.json ask for {}",
                                            shapeText(tensor.shape), shapeText(expected)));
}

void checkModule(const std::string& file, const StoredModule& module, int64_t r, int64_t in, int64_t out) {
    const auto& a = module.a->shape;
    const auto& b = module.b->shape;
    if (a.size() == 2 && b.size() == 2 && a[0] != b[1])
        throw Error::fileFormat(
            file, describe(module.b->name),
            fmt::format("shape {} does not multiply with lora_A's {}", shapeText(b), shapeText(a)));
    checkShape(file, *module.a, {r, in});
    checkShape(file, *module.b, {out, r});
}

/// What adapter_config.json targets and what is stored must be the same modules, each whole.
void checkModules(const std::string& file, const StoredModules& modules, const PeftConfig& peft,
                  const ModelConfig& config) {
    for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer)
        for (const AttentionLinear linear : kAttentionLinears) {
            const auto found = modules.find({layer, linear});
            const StoredModule stored = found == modules.end() ? StoredModule() : found->second;
            const bool targeted = peft.targets(layer, linear);
            if (!targeted && (stored.a != nullptr || stored.b != nullptr))
                throw Error::fileFormat(file, describe((stored.a != nullptr ? stored.a : stored.b)->name),
                                        "adapter_config.json does not target this module");
            if (targeted && (stored.a == nullptr || stored.b == nullptr))
                throw Error::fileFormat(file,
                                        describe(loraTensorName(layer, linear, /*is_a=*/stored.a == nullptr)),
                                        "is missing, though adapter_config.json targets its module");
            if (targeted)
                checkModule(file, stored, peft.rankOf(layer, linear), inWidth(config, linear),
                            outWidth(config, linear));
        }
}

/// A sparse file costs nobody anything until it is read.
void requireMemory(const std::string& file, const StoredModules& modules) {
    int64_t bytes = 0;
    for (const auto& [place, module] : modules)
        bytes += (module.a->elements() + module.b->elements()) * static_cast<int64_t>(sizeof(float));
    if (const int64_t available = readMachine().memory_available; bytes > available)
        throw Error(ErrorKind::out_of_memory,
                    fmt::format("{}: takes {} MiB in float32, {} MiB are free", printable(file, 1000),
                                bytes >> 20, available >> 20));
}

std::vector<float> readTensor(const SafetensorsFile& file, const TensorEntry& entry) {
    std::vector<float> values(static_cast<size_t>(entry.elements()));
    readElements({&file, &entry}, 0, entry.elements(), DType::float32, values.data());
    const auto bad =
        std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
    if (bad != values.end())
        throw Error::fileFormat(
            file.name(), describe(entry.name),
            fmt::format("element {} is {}", bad - values.begin(), std::isnan(*bad) ? "NaN" : "infinite"));
    return values;
}

}  // namespace

std::string_view moduleName(AttentionLinear linear) {
    switch (linear) {
        case AttentionLinear::q:
            return "q_proj";
        case AttentionLinear::k:
            return "k_proj";
        case AttentionLinear::v:
            return "v_proj";
        case AttentionLinear::o:
            break;
    }
    return "o_proj";
}

int64_t inWidth(const ModelConfig& config, AttentionLinear linear) {
    return linear == AttentionLinear::o ? config.num_attention_heads * config.head_dim : config.hidden_size;
}

int64_t outWidth(const ModelConfig& config, AttentionLinear linear) {
    if (linear == AttentionLinear::o)
        return config.hidden_size;
    return linear == AttentionLinear::q ? config.num_attention_heads * config.head_dim : config.kvWidth();
}

LoraAdapter readAdapter(const fs::path& path, const ModelConfig& config) {
    const ContainedFolder folder = ContainedFolder::open(path);
    const PeftConfig peft = parsePeftConfig(folder.readFile(kAdapterConfig, most_adapter_config_bytes),
                                            folder.nameOf(kAdapterConfig), config);
    const SafetensorsFile file = openTensors(folder);
    const StoredModules modules = sortTensors(file, config);
    checkModules(file.name(), modules, peft, config);
    requireMemory(file.name(), modules);
    LoraAdapter adapter;
    adapter.r = peft.r;
    adapter.lora_alpha = peft.lora_alpha * (peft.use_rslora ? std::sqrt(static_cast<double>(peft.r)) : 1.0);
    adapter.lora_dropout = peft.lora_dropout;
    adapter.base_model_name_or_path = peft.base_model_name_or_path;
    adapter.revision = peft.revision;
    for (const auto& [place, module] : modules) {
        const auto& [layer, linear] = place;
        adapter.modules.push_back({layer, linear, peft.rankOf(layer, linear), peft.scaleOf(layer, linear),
                                   readTensor(file, *module.a), readTensor(file, *module.b)});
    }
    file.checkUnchanged(folder);
    return adapter;
}

}  // namespace spd
