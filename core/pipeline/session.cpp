#include "core/pipeline/session.h"

#include <algorithm>
#include <vector>

#include "core/base/files.h"

namespace spd {

Session Session::open(const std::string& model, const std::filesystem::path& workspace) {
    ModelLocation location = locateModel(model, workspace);
    Checkpoint checkpoint = Checkpoint::open(location.folder);
    Tokenizer tokenizer = Tokenizer::open(location.folder);
    return {std::move(location), std::move(checkpoint), std::move(tokenizer)};
}

std::string weightsFingerprint(const Checkpoint& checkpoint) {
    constexpr int64_t kSampled = 1024;  // values in the middle of each tensor
    std::string digests;
    for (const ExpectedTensor& tensor : expectedTensors(checkpoint.config())) {
        int64_t elements = 1;
        std::string text = tensor.name;
        for (int64_t dimension : tensor.shape) {
            elements *= dimension;
            text += ' ' + std::to_string(dimension);
        }
        const int64_t count = std::min(elements, kSampled);
        std::vector<float> values(static_cast<size_t>(count));
        checkpoint.read(tensor.name, (elements - count) / 2, count, DType::float32, values.data());
        text += ' ' + std::string(name(checkpoint.storedType(tensor.name))) + ' ';
        text.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
        digests += sha256Hex(text);
    }
    return sha256Hex(digests);
}

}  // namespace spd
