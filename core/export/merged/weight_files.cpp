#include "core/export/merged/weight_files.h"

#include <fmt/format.h>

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/safetensors/writer.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

ElementType elementType(DType dtype) {
    return dtype == DType::float32    ? ElementType::f32
           : dtype == DType::bfloat16 ? ElementType::bf16
                                      : ElementType::f16;
}

int64_t bytesOf(const ExpectedTensor& tensor, const MergedWeights& weights) {
    int64_t bytes = bytesPerElement(weights.typeOf(tensor.name));
    for (const int64_t dimension : tensor.shape)
        bytes *= dimension;
    return bytes;
}

void writeFile(const fs::path& path, const WeightFile& file, MergedWeights& weights,
               const JobContext& context, const std::function<void()>& on_tensor) {
    std::vector<TensorInfo> infos;
    std::map<std::string, const ExpectedTensor*> by_name;
    for (const ExpectedTensor& tensor : file.tensors) {
        infos.push_back({tensor.name, elementType(weights.typeOf(tensor.name)), tensor.shape});
        by_name[tensor.name] = &tensor;
    }
    SafetensorsWriter writer(path, std::move(infos), {{"format", "pt"}});
    for (const TensorInfo& info : writer.order()) {
        weights.stream(*by_name.at(info.name), context,
                       [&](const char* bytes, size_t count) { writer.append(bytes, count); });
        on_tensor();
    }
    writer.commit();
}

void writeIndex(const fs::path& folder, const std::vector<WeightFile>& files) {
    int64_t total = 0;
    nlohmann::ordered_json map = nlohmann::ordered_json::object();
    for (const WeightFile& file : files) {
        total += file.bytes;
        for (const ExpectedTensor& tensor : file.tensors)
            map[tensor.name] = file.name;
    }
    const nlohmann::ordered_json index = {{"metadata", {{"total_size", total}}}, {"weight_map", map}};
    writeFileAtomically(folder / "model.safetensors.index.json", index.dump(2) + "\n");
}

}  // namespace

std::vector<WeightFile> planWeightFiles(const std::vector<ExpectedTensor>& tensors,
                                        const MergedWeights& weights, int64_t most_bytes) {
    std::vector<WeightFile> files(1);
    for (const ExpectedTensor& tensor : tensors) {
        const int64_t bytes = bytesOf(tensor, weights);
        if (files.back().bytes + bytes > most_bytes && !files.back().tensors.empty())
            files.emplace_back();
        files.back().tensors.push_back(tensor);
        files.back().bytes += bytes;
    }
    for (size_t i = 0; i < files.size(); ++i)
        files[i].name = files.size() == 1
                            ? "model.safetensors"
                            : fmt::format("model-{:05}-of-{:05}.safetensors", i + 1, files.size());
    return files;
}

void writeWeightFiles(const fs::path& folder, const std::vector<WeightFile>& files, MergedWeights& weights,
                      const JobContext& context) {
    int64_t all = 0;
    int64_t done = 0;
    for (const WeightFile& file : files)
        all += static_cast<int64_t>(file.tensors.size());
    for (const WeightFile& file : files)
        writeFile(folder / file.name, file, weights, context, [&] {
            context.report({"merge", ++done, all, 0});
        });
    if (files.size() > 1)
        writeIndex(folder, files);
}

void compareWeightFiles(const fs::path& folder, const std::vector<ExpectedTensor>& tensors,
                        MergedWeights& weights, const JobContext& context) {
    const Checkpoint written = Checkpoint::open(folder, context);
    int64_t done = 0;
    std::vector<char> read;
    for (const ExpectedTensor& tensor : tensors) {
        const DType dtype = weights.typeOf(tensor.name);
        bool same = written.storedType(tensor.name) == dtype;
        int64_t first = 0;
        weights.stream(tensor, context, [&](const char* bytes, size_t count) {
            const auto elements = static_cast<int64_t>(count) / bytesPerElement(dtype);
            read.resize(count);
            if (same)
                written.read(tensor.name, first, elements, dtype, read.data());
            same = same && std::memcmp(read.data(), bytes, count) == 0;
            first += elements;
        });
        if (!same)
            throw Error(ErrorKind::internal, tensor.name + ": was written and read again, and differs");
        context.report({"compare", ++done, static_cast<int64_t>(tensors.size()), 0});
    }
}

}  // namespace spd
