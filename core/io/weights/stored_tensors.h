#pragma once

#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/contained_folder.h"
#include "core/io/safetensors/file.h"

namespace spd {

/// Where a tensor of the folder lies.
struct StoredTensor {
    const SafetensorsFile* file = nullptr;
    const TensorEntry* entry = nullptr;
};

/// The weights of a checkpoint folder as they are stored: model.safetensors, or the shards of
/// model.safetensors.index.json, all held open. Pickles are named and refused. Immutable; thread-safe.
class StoredTensors {
public:
    /// @throws Error not_found, file_format (S, I rules; a shard that differs from the index),
    /// unsupported_model, io
    static StoredTensors open(const std::filesystem::path& path);

    StoredTensors(StoredTensors&&) = default;
    StoredTensors& operator=(StoredTensors&&) = default;

    const ContainedFolder& folder() const { return folder_; }
    /// model.safetensors or model.safetensors.index.json, with the folder: what messages about all of them
    /// name.
    const std::string& name() const { return name_; }
    size_t fileCount() const { return files_.size(); }

    /// `entry` is nullptr where there is no such tensor.
    StoredTensor find(std::string_view tensor) const;
    /// Every tensor, by name.
    const std::vector<StoredTensor>& all() const { return by_name_; }

    /// @throws Error io
    void checkUnchanged() const;

private:
    explicit StoredTensors(ContainedFolder folder) : folder_(std::move(folder)) {}
    void openShards();
    void sortByName();
    void refuseWithoutWeights() const;

    ContainedFolder folder_;
    std::string name_;
    std::deque<SafetensorsFile> files_;  // a deque: entries are pointed at
    std::vector<StoredTensor> by_name_;
};

}  // namespace spd
