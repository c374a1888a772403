#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/files.h"
#include "core/io/safetensors/header.h"

namespace spd {

/// A tensor to be written: what is known before its elements are.
struct TensorInfo {
    std::string name;
    ElementType type = ElementType::f32;
    std::vector<int64_t> shape;
};

/// Writes a safetensors file tensor by tensor without holding them: the header goes first, then each tensor's
/// bytes in the order of order(), in as many pieces as the caller likes. The file appears under its name at
/// commit(), whole and synced; before that a temporary file beside it, which goes when this object does.
///
///     SafetensorsWriter writer("out.safetensors", {{"logits.0", ElementType::f32, {7, 49152}}});
///     for (const TensorInfo& tensor : writer.order())
///         writer.append(rows.data(), rows.size() * sizeof(float));
///     writer.commit();
class SafetensorsWriter {
public:
    /// @param tensors   any order; names as readers accept them (not empty, at most 1 KiB, no control
    /// characters).
    /// @param metadata  strings of __metadata__, e.g. {"format", "pt"}, which transformers asks for.
    /// @throws Error io, not_found (no such folder), internal (a name twice, sizes that overflow)
    SafetensorsWriter(const std::filesystem::path& path, std::vector<TensorInfo> tensors,
                      const std::map<std::string, std::string>& metadata = {});

    /// The tensors in the order of the file: wide element types first, then by name with digit runs as
    /// numbers
    /// ("logits.2" before "logits.10").
    const std::vector<TensorInfo>& order() const { return tensors_; }

    /// The next `bytes` bytes, row-major and little-endian. @throws Error io; internal when more than was
    /// announced
    void append(const void* data, uint64_t bytes);

    /// @throws Error io; internal when bytes are missing
    void commit();

private:
    std::vector<TensorInfo> tensors_;
    AtomicFile file_;
    std::string name_;
    uint64_t bytes_left_ = 0;
};

}  // namespace spd
