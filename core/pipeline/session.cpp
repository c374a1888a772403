#include "core/pipeline/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/contained_folder.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/machine.h"
#include "core/base/sha256.h"
#include "core/base/strict_json.h"

namespace spd {

Session Session::open(const std::string& model, const std::filesystem::path& workspace,
                      const JobContext& context) {
    ModelLocation location = locateModel(model, workspace);
    Checkpoint checkpoint = Checkpoint::open(location.folder, context);
    Tokenizer tokenizer = Tokenizer::open(location.folder);
    return {std::move(location), std::move(checkpoint), std::move(tokenizer)};
}

void requireMemory(int64_t bytes, const std::string& stage, const std::string& advice) {
    constexpr double kGibibyte = 1 << 30;
    const int64_t available = readMachine().memory_available;
    if (bytes > available)
        throw Error(
            ErrorKind::out_of_memory,
            fmt::format("{} needs about {:.1f} GiB of memory, {:.1f} GiB are free{}{}", stage,
                        static_cast<double>(bytes) / kGibibyte, static_cast<double>(available) / kGibibyte,
                        advice.empty() ? "" : ": ", advice));
}

nlohmann::ordered_json modelRecord(const Session& session) {
    return {{"id", printable(session.location.id, 4096)},
            {"revision", session.location.revision},
            {"config_sha256", configSha256(session.checkpoint)},
            {"weights_fingerprint", weightsFingerprint(session.checkpoint)}};
}

std::string configSha256(const Checkpoint& checkpoint) {
    return sha256Hex(
        ContainedFolder::open(checkpoint.folder()).readFile("config.json", JsonLimits().max_bytes));
}

std::string weightsFingerprint(const Checkpoint& checkpoint) {
    constexpr int64_t kPieces = 8;  // from the first value to the last
    constexpr int64_t kPieceValues = 256;
    std::string digests;
    for (const ExpectedTensor& tensor : expectedTensors(checkpoint.config())) {
        int64_t elements = 1;
        std::string text = tensor.name;
        for (int64_t dimension : tensor.shape) {
            elements *= dimension;
            text += ' ' + std::to_string(dimension);
        }
        text += ' ' + std::string(name(checkpoint.storedType(tensor.name))) + ' ';
        const int64_t pieces = elements <= kPieces * kPieceValues ? 1 : kPieces;
        const int64_t count = pieces == 1 ? elements : kPieceValues;
        std::vector<float> values(static_cast<size_t>(count));
        for (int64_t piece = 0; piece < pieces; ++piece) {
            const int64_t first = pieces == 1 ? 0 : (elements - count) / (pieces - 1) * piece;
            checkpoint.read(tensor.name, first, count, DType::float32, values.data());
            text.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
        }
        digests += sha256Hex(text);
    }
    return sha256Hex(digests);
}

}  // namespace spd
