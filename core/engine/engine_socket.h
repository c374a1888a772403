#pragma once

#include <filesystem>
#include <optional>

#include "core/base/files.h"

namespace spd::engine {

// WORKSPACE/engine.sock, where an engine listens (mode 0600). Folders of any length work: the socket is named
// through an open descriptor of its folder, since a socket's own path may hold 107 bytes.

inline constexpr const char* kSocketName = "engine.sock";
inline constexpr const char* kLockName = "engine.lock";

/// A listening socket; one that an earlier engine left is replaced. For the holder of WORKSPACE/engine.lock.
/// @throws Error not_found (no such folder), io
FileHandle listenAt(const std::filesystem::path& workspace);

/// A connection to the engine of a workspace. @return nothing when none listens
/// @throws Error not_found (no such folder), io (no permission)
std::optional<FileHandle> connectTo(const std::filesystem::path& workspace);

}  // namespace spd::engine
