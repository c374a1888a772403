#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file_lock.h"

namespace spd::store {

/// Refuses what must not be opened as a database: a symbolic link (its journal would lie elsewhere), a
/// folder, a device. Nothing there is fine. @throws Error file_format, io
void requirePlainFile(const std::filesystem::path& file);

/// Refuses another program's database by its first bytes, before SQLite would touch it.
/// @throws Error file_format
void requireNotForeign(const std::filesystem::path& file);

enum class FirstBytes {
    none,      ///< no file, or an empty one
    database,  ///< SQLite's
    other,
};
FirstBytes firstBytes(const std::filesystem::path& file);
/// A journal lies beside it that SQLite would bring the file back with.
bool hasJournalToRollBack(const std::filesystem::path& file);

/// Lines for the user about where the file lies: a network file system (locks there are not to be relied on),
/// a second name of the file (hard link).
std::vector<std::string> warningsAbout(const std::filesystem::path& file);
/// The name of a file system of statfs()'s f_type whose locks are not to be relied on, else empty.
std::string_view networkFileSystem(unsigned long type);

/// Moves the database with its journals into a new folder FILE.damaged-TIME beside it. @return the folder
/// @throws Error io
std::filesystem::path setAside(const std::filesystem::path& file);

/// The newest backup that a migration has kept beside the file, if any.
std::optional<std::filesystem::path> newestBackup(const std::filesystem::path& file);

/// Who else has the database open. Each process that may write holds a lock file .FILE.open-XXXXXX as long;
/// one that nobody holds is left by a process that died.
struct OtherOpeners {
    bool alive = false;
    bool died = false;
};

/// Looks at the lock files and removes those of the dead. Call it with the writers' turn held.
OtherOpeners settleOpeners(const std::filesystem::path& file);
/// @throws Error io
FileLock markOpen(const std::filesystem::path& file);
/// Leaves a lock file that nobody holds: the next start checks the database.
void markSuspect(const std::filesystem::path& file) noexcept;

}  // namespace spd::store
