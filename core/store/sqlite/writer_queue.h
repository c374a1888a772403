#pragma once

#include <chrono>
#include <filesystem>

#include "core/base/files.h"

namespace spd::store {

/// The lock file that writers of one database queue on (flock). Unlike FileLock the file stays: a file that
/// is removed by each holder would send those who wait to the end of the queue.
class WriterQueue {
public:
    /// @throws Error io, file_format (a symbolic link lies there)
    explicit WriterQueue(const std::filesystem::path& path);

    /// Holds the lock while it lives; its queue must outlive it.
    class Turn {
    public:
        explicit Turn(const WriterQueue& queue) : queue_(&queue) {}
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn();

    private:
        const WriterQueue* queue_;
    };

    /// Waits for the others. @throws Error io after `longest`
    Turn wait(std::chrono::milliseconds longest) const;

private:
    std::filesystem::path path_;
    FileHandle handle_;
};

}  // namespace spd::store
