#pragma once

#include <filesystem>

#include "core/base/file_lock.h"

namespace spd {

/// The files of a corpus in the making; corpus_file.h tells what each is for.
struct CorpusPaths {
    explicit CorpusPaths(const std::filesystem::path& out_path);

    std::filesystem::path out;
    std::filesystem::path folder;
    std::filesystem::path partial;
    std::filesystem::path meta;
    std::filesystem::path lock;
};

/// Where it stands what made a corpus that is read: beside it, else beside the file that a link leads to (a
/// run's corpus.jsonl leads to one that several runs share).
std::filesystem::path metaOfCorpus(const std::filesystem::path& corpus);

enum class Found { nothing, empty, content };

/// What lies at a path; links are followed.
/// @throws Error invalid_argument when it is not a regular file, io
Found look(const std::filesystem::path& path);

/// @throws Error not_found, invalid_argument when these files could not all be made there
void checkCorpusPaths(const CorpusPaths& paths);

/// @throws Error invalid_argument when another writer has it, io when nothing can be made in the folder
FileLock lockCorpus(const CorpusPaths& paths);

/// Removes what a writer that was killed within AtomicFile::commit() has left. Under the lock only.
void removeTemporaries(const CorpusPaths& paths);

}  // namespace spd
