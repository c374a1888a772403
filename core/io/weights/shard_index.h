#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace spd {

/// A model.safetensors.index.json: which shard holds which tensor.
struct ShardIndex {
    struct Entry {
        std::string tensor;
        size_t shard = 0;  ///< into `shards`
    };
    std::vector<std::string>
        shards;  ///< plain file names ending in .safetensors, each once, in order of first use
    std::vector<Entry> entries;          ///< in the file's order
    std::optional<uint64_t> total_size;  ///< bytes of all tensors as metadata says
};

constexpr size_t most_shards = 4096;
constexpr size_t most_index_bytes = size_t{64} << 20;

/// @param file  name used in messages.   @throws Error file_format (I1, I4, I5)
ShardIndex parseShardIndex(std::string_view json, const std::string& file);

}  // namespace spd
