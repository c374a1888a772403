#include "core/io/weights/stored_tensors.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/io/weights/pickle.h"
#include "core/io/weights/shard_index.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

constexpr const char* single_name = "model.safetensors";
constexpr const char* index_name = "model.safetensors.index.json";

std::string describe(std::string_view tensor) {
    return fmt::format("tensor \"{}\"", printable(tensor, 120));
}

/// Each shard must hold exactly the tensors that the index gives it (I2), and together total_size bytes (I3).
void checkAgainstIndex(const ShardIndex& index, const std::deque<SafetensorsFile>& shards,
                       const std::vector<StoredTensor>& by_name, const std::string& file) {
    std::vector<const ShardIndex::Entry*> named;
    for (const ShardIndex::Entry& entry : index.entries)
        named.push_back(&entry);
    std::sort(named.begin(), named.end(), [](auto* a, auto* b) { return a->tensor < b->tensor; });

    uint64_t bytes = 0;
    auto next = named.begin();
    for (const StoredTensor& stored : by_name) {
        const std::string& tensor = stored.entry->name;
        if (next != named.end() && (*next)->tensor < tensor)
            break;
        if (next == named.end() || (*next)->tensor != tensor)
            throw Error::fileFormat(stored.file->name(), describe(tensor),
                                    "is not in the weight_map of the index");
        if (stored.file != &shards[(*next)->shard])
            throw Error::fileFormat(
                file, describe(tensor),
                fmt::format("the index says {}, but it is in {}", index.shards[(*next)->shard],
                            fs::path(stored.file->name()).filename().native()));
        bytes += stored.entry->bytes();
        ++next;
    }
    if (next != named.end())
        throw Error::fileFormat(
            file, describe((*next)->tensor),
            fmt::format("is not in {} nor in another shard", index.shards[(*next)->shard]));
    if (index.total_size && *index.total_size != bytes)
        throw Error::fileFormat(
            file, "metadata.total_size",
            fmt::format("is {}, but the tensors take {} bytes", *index.total_size, bytes));
}

}  // namespace

StoredTensors StoredTensors::open(const fs::path& path) {
    StoredTensors tensors(ContainedFolder::open(path));
    if (tensors.folder_.has(single_name)) {
        tensors.name_ = tensors.folder_.nameOf(single_name);
        tensors.files_.push_back(SafetensorsFile::open(tensors.folder_, single_name));
        tensors.sortByName();
    } else if (tensors.folder_.has(index_name)) {
        tensors.name_ = tensors.folder_.nameOf(index_name);
        tensors.openShards();
    } else {
        tensors.refuseWithoutWeights();
    }
    return tensors;
}

void StoredTensors::openShards() {
    const ShardIndex index = parseShardIndex(folder_.readFile(index_name, most_index_bytes), name_);
    uint64_t header_bytes = 0;
    size_t count = 0;
    for (const std::string& shard : index.shards) {
        if (!folder_.has(shard))
            throw Error::fileFormat(name_, shard, "this shard is not in the folder");
        files_.push_back(SafetensorsFile::open(folder_, shard));
        // One file may be linked under 4,096 names: the limits of a header hold for all shards together.
        header_bytes += files_.back().header().data_begin;
        count += files_.back().header().tensors.size();
        if (header_bytes > 2 * most_header_bytes || count > most_tensors)
            throw Error::fileFormat(name_, shard, "the headers of the shards are too large together");
    }
    sortByName();
    checkAgainstIndex(index, files_, by_name_, name_);
}

void StoredTensors::sortByName() {
    for (const SafetensorsFile& file : files_)
        for (const TensorEntry& entry : file.header().tensors)
            by_name_.push_back({&file, &entry});
    std::sort(by_name_.begin(), by_name_.end(),
              [](const StoredTensor& a, const StoredTensor& b) { return a.entry->name < b.entry->name; });
    for (size_t i = 1; i < by_name_.size(); ++i)
        if (by_name_[i].entry->name == by_name_[i - 1].entry->name)
            throw Error::fileFormat(
                name_, describe(by_name_[i].entry->name),
                fmt::format("is in {} and in {}", fs::path(by_name_[i - 1].file->name()).filename().native(),
                            fs::path(by_name_[i].file->name()).filename().native()));
}

void StoredTensors::refuseWithoutWeights() const {
    const std::string pickle = pickleIn(folder_.path());
    if (!pickle.empty())
        throw Error::fileFormat(
            folder_.nameOf(pickle), "",
            "a pickle file, which can run code when it is loaded and is never opened; convert the "
            "checkpoint to safetensors");
    throw Error(ErrorKind::not_found,
                fmt::format("{}: holds neither {} nor {}", printable(folder_.path().native(), 1000),
                            single_name, index_name));
}

StoredTensor StoredTensors::find(std::string_view tensor) const {
    const auto found =
        std::lower_bound(by_name_.begin(), by_name_.end(), tensor,
                         [](const StoredTensor& a, std::string_view b) { return a.entry->name < b; });
    return found != by_name_.end() && found->entry->name == tensor ? *found : StoredTensor{};
}

void StoredTensors::checkUnchanged() const {
    for (const SafetensorsFile& file : files_)
        file.checkUnchanged(folder_);
}

}  // namespace spd
