#include "core/store/sqlite/writer_queue.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include "core/base/error.h"

namespace spd::store {

WriterQueue::WriterQueue(const std::filesystem::path& path)
    : path_(path),
      handle_(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666)) {
    if (!handle_ && errno == ELOOP)
        throw Error::fileFormat(path.native(), "", "a symbolic link; the lock file must be a file");
    if (!handle_)
        throwSystemError(path, "cannot create");
}

WriterQueue::Turn WriterQueue::wait(std::chrono::milliseconds longest) const {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point end = Clock::now() + longest;
    // flock() cannot be told how long to wait. A commit takes half a millisecond and more.
    std::chrono::microseconds pause(100);
    while (::flock(handle_.descriptor(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            throwSystemError(path_, "cannot lock");
        if (Clock::now() >= end)
            throw Error(ErrorKind::io, fmt::format("{}: held by another process for more than {} s",
                                                   printable(path_.native(), 1000), longest.count() / 1000));
        std::this_thread::sleep_for(pause);
        pause = std::min(pause * 2, std::chrono::microseconds(5000));
    }
    return Turn(*this);
}

WriterQueue::Turn::~Turn() {
    ::flock(queue_->handle_.descriptor(), LOCK_UN);
}

}  // namespace spd::store
