#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/io/model_locator.h"

namespace spd {

// The cache that huggingface_hub keeps (its docs: guides/manage-cache.md). Read only.

/// $HOME, else the account's home.
std::filesystem::path homeFolder();

/// HF_HUB_CACHE, else HUGGINGFACE_HUB_CACHE, else HF_HOME/hub, else XDG_CACHE_HOME/huggingface/hub, else
/// ~/.cache/huggingface/hub; a leading ~ and $NAME are expanded. Empty variables count as unset.
std::filesystem::path hubCacheFolder();

/// ORG/NAME as the hub allows it.
bool isHubId(const std::string& id);

/// The commit of refs/main when its snapshot is complete, else the newest complete snapshot; nullopt where
/// the cache does not know the repository.
/// @throws Error not_found when there are snapshots but none is complete; names a missing file.
std::optional<ModelLocation> findInHubCache(const std::string& id);

/// Id and commit of a folder that is a snapshot of such a cache (models--ORG--NAME/snapshots/COMMIT).
std::optional<ModelLocation> describeSnapshot(const std::filesystem::path& folder);

}  // namespace spd
