#pragma once

#include <filesystem>
#include <string>

#include "core/base/files.h"

namespace spd {

/// A folder of files that appears under its name at commit(), whole and synced, or not at all. Until then the
/// files lie in a folder .NAME.tmp-XXXXXX beside it, which goes when this object does. Killed at any moment:
/// what lay under the name is either the old folder, whole, or the new one, whole; where the process was
/// killed a temporary folder may stay, which the next AtomicFolder of the same name removes. Folders in it
/// are not supported: files only. For one thread.
///
///     AtomicFolder folder(out, kProvenance);
///     writeFileAtomically(folder.path() / "a.json", text);
///     folder.commit();
class AtomicFolder {
public:
    /// @param path    the folder to be; the one above it must be there.
    /// @param marker  an existing folder is replaced when it is empty, or when it holds a file of this name
    ///     and nothing but files: never somebody's folder that was named by mistake. All that lies in it
    ///     goes. Empty: only an empty one.
    /// @throws Error not_found (no folder above), invalid_argument (what lies there is not to be replaced),
    /// io
    explicit AtomicFolder(const std::filesystem::path& path, const std::string& marker = "");
    AtomicFolder(const AtomicFolder&) = delete;
    AtomicFolder& operator=(const AtomicFolder&) = delete;
    ~AtomicFolder();

    /// Where the files are written.
    const std::filesystem::path& path() const { return temporary_; }

    /// Syncs every file, exchanges the folders, syncs the one above, removes the old one.
    /// @throws Error io; the old folder then lies where it was
    void commit();

private:
    void makeTemporary();
    bool lockTemporary(const std::filesystem::path& candidate);
    void publish();

    std::filesystem::path path_;
    std::string marker_;
    std::filesystem::path temporary_;  ///< empty once published
    FileHandle lock_;                  ///< of temporary_: tells a folder in use from one that was left behind
};

}  // namespace spd
