#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/io/model_config.h"

namespace spd {

/// A weight that the model needs, as its config says: name and shape
/// ("model.layers.0.self_attn.q_proj.weight").
struct ExpectedTensor {
    std::string name;
    std::vector<int64_t> shape;
};

/// Every tensor of the architecture, in the order of the forward pass; no lm_head.weight where the head is
/// tied.
std::vector<ExpectedTensor> expectedTensors(const ModelConfig& config);

/// An opened checkpoint folder: config, and where each tensor lies. Weights are read by pread into the
/// caller's memory, never mapped. Everything is validated before this object exists, except the bytes of the
/// weights. Thread-safe for concurrent reads.
class Checkpoint {
public:
    /// Opens `folder` (single model.safetensors or model.safetensors.index.json with its shards) and holds
    /// the shards open. Every tensor's shape must equal what the config says before a byte is allocated.
    /// @param context  looked at while a tied model's stored head is compared with its embedding.
    /// @throws Error not_found, file_format, unsupported_model; Cancelled
    static Checkpoint open(const std::filesystem::path& folder, const JobContext& context = {});

    Checkpoint(Checkpoint&&) noexcept;
    Checkpoint& operator=(Checkpoint&&) noexcept;
    ~Checkpoint();

    const ModelConfig& config() const;
    const std::filesystem::path& folder() const;

    /// The type that `name` is stored in. @throws Error internal when the checkpoint has no such tensor.
    DType storedType(const std::string& name) const;

    /// Reads elements [first, first + count) of the row-major tensor into `out`, converted to `as`
    /// (count x bytesPerElement(as) bytes). bfloat16 and float16 are rounded to nearest even.
    /// @throws Error io when the file changed or shrank since it was opened.
    void read(const std::string& name, int64_t first, int64_t count, DType as, void* out) const;

    /// After loading: size, modification time and inode of each file are still those seen at open. @throws
    /// Error io
    void checkUnchanged() const;

private:
    struct Impl;
    explicit Checkpoint(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace spd
