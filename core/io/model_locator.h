#pragma once

#include <filesystem>
#include <string>

namespace spd {

/// Where a MODEL argument was found.
struct ModelLocation {
    std::filesystem::path folder;
    std::string id;        ///< what to record: "org/name", the workspace name, or the folder's path
    std::string revision;  ///< commit of an HF-cache snapshot, else empty
};

/// Resolves MODEL: a folder, an HF-cache repo id (org/name), or a name under WORKSPACE/models/, in that
/// order. The HF cache is searched where huggingface_hub looks (HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE,
/// HF_HOME/hub, XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub); refs/main's commit when its
/// snapshot is complete, else the newest complete snapshot. Nothing is written there.
/// @throws Error not_found, with the exact command that downloads it, for a repo id also in details().
ModelLocation locateModel(const std::string& model, const std::filesystem::path& workspace);

/// $XDG_DATA_HOME/spd-workbench, else ~/.local/share/spd-workbench.
std::filesystem::path defaultWorkspace();

}  // namespace spd
