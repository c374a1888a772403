#include "core/data/corpus/corpus_view.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strict_json.h"
#include "core/data/corpus/corpus_paths.h"
#include "core/data/corpus_file.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

FileHandle openFile(const fs::path& path) {
    FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file)
        throwSystemError(path, "cannot open");
    return file;
}

std::string readBytes(const FileHandle& file, const fs::path& path, int64_t first, int64_t count) {
    std::string bytes(static_cast<size_t>(count), '\0');
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got = ::pread(file.descriptor(), bytes.data() + done, bytes.size() - done,
                                    first + static_cast<int64_t>(done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            throwSystemError(path, "cannot read");
        if (got == 0)
            break;
        done += static_cast<size_t>(got);
    }
    bytes.resize(done);
    return bytes;
}

}  // namespace

CorpusView::CorpusView(const fs::path& out) : out_(out), partial_(CorpusPaths(out).partial) {}

void CorpusView::takeIn(std::string_view lines) {
    while (!lines.empty()) {
        const size_t length = lines.find('\n') + 1;
        const std::string place = fmt::format("line {}", count() + 1);
        try {
            const auto row = parseStrictJson(std::string(lines.substr(0, length - 1)), file_.native(), {});
            statistics_.add(readCorpusRecord(count(), row));
        } catch (const Error& error) {
            throw Error::fileFormat(file_.native(), place, error.what());
        }
        borders_.push_back(borders_.back() + static_cast<int64_t>(length));
        lines.remove_prefix(length);
    }
}

void CorpusView::update() {
    constexpr int64_t kPiece = int64_t{4} << 20;
    std::error_code unreadable;
    const bool grows = fs::exists(partial_, unreadable);
    if (!grows && !fs::exists(out_, unreadable)) {
        *this = CorpusView(out_);
        return;
    }
    const fs::path path = grows ? partial_ : out_;
    const FileHandle file = openFile(path);
    struct stat status = {};
    if (::fstat(file.descriptor(), &status) != 0)
        throwSystemError(path, "cannot look at");
    const std::string identity = fmt::format("{} {} {}", path.native(), status.st_dev, status.st_ino);
    if (identity != identity_ || status.st_size < borders_.back()) {
        *this = CorpusView(out_);
        identity_ = identity;
    }
    file_ = path;
    complete_ = !grows;
    int64_t piece = kPiece;
    while (borders_.back() < status.st_size) {
        const std::string bytes =
            readBytes(file, path, borders_.back(), std::min(piece, status.st_size - borders_.back()));
        const size_t whole = bytes.rfind('\n') + 1;  // 0: none
        if (whole == 0 && (bytes.size() < static_cast<size_t>(piece)))
            break;  // the last line is still being written
        piece = whole == 0 ? piece * 2 : kPiece;
        takeIn(std::string_view(bytes).substr(0, whole));
    }
}

nlohmann::ordered_json CorpusView::rows(int64_t from, int64_t wanted, int64_t max_bytes) const {
    auto rows = nlohmann::ordered_json::array();
    from = std::min(from, count());
    int64_t end = std::min(count(), from + wanted);
    if (from >= end)
        return rows;
    const auto border = [&](int64_t record) { return borders_[static_cast<size_t>(record)]; };
    while (end - 1 > from && border(end) - border(from) > max_bytes)
        --end;
    const std::string bytes = readBytes(openFile(file_), file_, border(from), border(end) - border(from));
    for (int64_t record = from; record < end; ++record) {
        const auto first = static_cast<size_t>(border(record) - border(from));
        const auto length = static_cast<size_t>(border(record + 1) - border(record)) - 1;
        if (first + length > bytes.size())
            throw Error(ErrorKind::io, fmt::format("{}: became shorter", printable(file_.native(), 1000)));
        rows.push_back(parseStrictJson(bytes.substr(first, length), file_.native(), {}));
    }
    return rows;
}

}  // namespace spd
