#include "core/data/corpus/record_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "core/data/json_lines.h"
#include "core/data/lines/line_reader.h"

namespace spd {
namespace {

FileHandle openRegular(const std::filesystem::path& path, int flags) {
    FileHandle handle(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags, 0666));
    if (!handle)
        throwSystemError(path, "cannot open");
    struct stat status = {};
    if (::fstat(handle.descriptor(), &status) != 0)
        throwSystemError(path, "cannot stat");
    if (!S_ISREG(status.st_mode))
        throw Error(ErrorKind::io, printable(path.native(), 1000) + ": not a regular file");
    return handle;
}

int64_t sizeOf(const FileHandle& handle, const std::filesystem::path& path) {
    struct stat status = {};
    if (::fstat(handle.descriptor(), &status) != 0)
        throwSystemError(path, "cannot stat");
    return status.st_size;
}

/// False with errno set.
bool writeAt(int descriptor, int64_t offset, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        offset += written;
        bytes.remove_prefix(static_cast<size_t>(written));
    }
    return true;
}

}  // namespace

RecordLog RecordLog::create(const std::filesystem::path& path) {
    RecordLog log(path, openRegular(path, O_CREAT | O_TRUNC));
    if (::fsync(log.handle_.descriptor()) != 0)
        throwSystemError(path, "cannot write to the disk");
    syncFolder(path.has_parent_path() ? path.parent_path() : ".");
    return log;
}

RecordLog RecordLog::resume(const std::filesystem::path& path,
                            const std::function<void(const Place&, std::string_view)>& on_line) {
    RecordLog log(path, openRegular(path, 0));
    const std::string name = printable(path.native(), 800);
    const int64_t size = sizeOf(log.handle_, path);
    LineReader lines(log.handle_, name, size, kMaxJsonLine);
    std::optional<std::string> refusal;
    while (lines.next()) {
        if (refusal)
            throw Error::fileFormat(name, fmt::format("line {}", lines.number()),
                                    *refusal + "; only a last line may be damaged");
        if (!lines.hasEnd())
            break;
        const Place place = {lines.offset(), lines.length()};
        try {
            if (lines.tooLong())
                throw rowError("too long");
            on_line(place, lines.text());
            log.end_ = place.offset + place.length + 1;
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::file_format)
                throw;
            refusal = error.what();
        }
    }
    if (log.end_ < size)
        log.cutTo(log.end_);
    return log;
}

RecordLog::Place RecordLog::append(std::string_view line) {
    if (failed_)
        throw Error(ErrorKind::io, printable(path_.native(), 1000) + ": takes no more after a failed write");
    std::string bytes(line);
    bytes += '\n';
    if (!writeAt(handle_.descriptor(), end_, bytes))
        fail("cannot write");
    if (::fdatasync(handle_.descriptor()) != 0)
        fail("cannot write to the disk");
    const Place place = {end_, static_cast<int64_t>(line.size())};
    end_ += static_cast<int64_t>(bytes.size());
    return place;
}

void RecordLog::fail(std::string_view action) {
    const int code = errno;
    failed_ = true;
    // Whether this works or not: resume() cuts what is left of the record.
    static_cast<void>(!::ftruncate(handle_.descriptor(), static_cast<off_t>(end_)));
    errno = code;
    throwSystemError(path_, action);
}

void RecordLog::cutTo(int64_t end) {
    if (::ftruncate(handle_.descriptor(), static_cast<off_t>(end)) != 0)
        throwSystemError(path_, "cannot cut the torn last line");
    if (::fsync(handle_.descriptor()) != 0)
        throwSystemError(path_, "cannot write to the disk");
}

std::string RecordLog::read(const Place& place) const {
    std::string bytes(static_cast<size_t>(place.length) + 1, '\0');
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got = ::pread(handle_.descriptor(), bytes.data() + done, bytes.size() - done,
                                    static_cast<off_t>(place.offset) + static_cast<off_t>(done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throwSystemError(path_, "cannot read");
        if (got == 0)
            throw Error(ErrorKind::io, printable(path_.native(), 1000) + ": became shorter");
        done += static_cast<size_t>(got);
    }
    return bytes;
}

void RecordLog::remove() {
    if (!handle_.close())
        throwSystemError(path_, "cannot close");
    if (::unlink(path_.c_str()) != 0)
        throwSystemError(path_, "cannot remove");
    syncFolder(path_.has_parent_path() ? path_.parent_path() : ".");
}

}  // namespace spd
