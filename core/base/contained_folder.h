#pragma once

#include <filesystem>
#include <string>

#include "core/base/files.h"

namespace spd {

/// A folder that somebody else filled (a checkpoint): its files are opened by plain names relative to a
/// handle, and symbolic links may not lead outside. Inside means the folder itself, or, for a snapshot of the
/// Hugging Face cache (models--ORG--NAME/snapshots/COMMIT), whose files are links into ../../blobs, the
/// models--ORG--NAME folder. Immutable; thread-safe.
class ContainedFolder {
public:
    /// @throws Error not_found, io
    static ContainedFolder open(const std::filesystem::path& path);

    const std::filesystem::path& path() const { return path_; }
    /// FOLDER/NAME as messages show it.
    std::string nameOf(const std::string& name) const { return (path_ / name).native(); }

    /// True when there is an entry of this name, whatever it is.
    bool has(const std::string& name) const;

    /// Opens a regular file without ever waiting for a FIFO or device.
    /// @throws Error not_found, file_format (no plain name, leads outside, not a regular file), io
    FileHandle openFile(const std::string& name) const;

    /// Whole content. @throws Error as openFile(); file_format when larger than max_bytes
    std::string readFile(const std::string& name, size_t max_bytes) const;

private:
    std::filesystem::path path_;
    std::filesystem::path boundary_path_;  ///< canonical; path_ or the cache's folder of the repository
    std::filesystem::path inside_;         ///< the folder relative to the boundary; "" or "snapshots/COMMIT"
    FileHandle boundary_;
    FileHandle folder_;
};

}  // namespace spd
