#include "core/data/json_lines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "core/base/files.h"
#include "core/base/strict_json.h"
#include "core/data/lines/foreign_rows.h"
#include "core/data/lines/line_reader.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

constexpr JsonLimits kRowLimits = {.max_bytes = kMaxJsonLine, .max_depth = 64, .max_values = 1'000'000};
constexpr size_t kMaxReported = 1000;

bool sameTime(const timespec& a, const timespec& b) {
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/// A regular file and what it was when it was opened.
class WatchedFile {
public:
    WatchedFile(const std::filesystem::path& path, const std::string& name) : path_(path), name_(name) {
        // O_NONBLOCK: a FIFO must not make this wait.
        handle_ = FileHandle(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        if (!handle_)
            throwSystemError(path, "cannot open");
        if (::fstat(handle_.descriptor(), &status_) != 0)
            throwSystemError(path, "cannot stat");
        if (!S_ISREG(status_.st_mode))
            throw Error::fileFormat(name, "", "not a regular file");
    }

    const FileHandle& handle() const { return handle_; }
    int64_t size() const { return status_.st_size; }

    /// @throws Error io when the file, or the file under its name, is another one now.
    void checkUnchanged() const {
        struct stat open = {};
        struct stat named = {};
        const bool same = ::fstat(handle_.descriptor(), &open) == 0 && open.st_size == status_.st_size &&
                          sameTime(open.st_mtim, status_.st_mtim) && ::stat(path_.c_str(), &named) == 0 &&
                          named.st_ino == status_.st_ino && named.st_dev == status_.st_dev;
        if (!same)
            throw Error(ErrorKind::io, name_ + ": was changed or replaced while it was read");
    }

private:
    std::filesystem::path path_;
    std::string name_;
    FileHandle handle_;
    struct stat status_ = {};
};

class Rows {
public:
    Rows(std::string name, const std::function<void(int64_t, const Json&)>& on_row)
        : name_(std::move(name)), on_row_(on_row) {}

    void take(const LineReader& line, std::string_view head) {
        std::string_view text = line.text();
        if (line.hasEnd() && text.ends_with('\r'))
            text.remove_suffix(1);
        if (!line.tooLong() && text.find_first_not_of(" \t") == std::string_view::npos)
            return;
        ++rows_;
        const std::string place = fmt::format("{}: line {}", name_, line.number() + 1);
        Json row;
        try {
            row = parse(line, text, place);
        } catch (const Error& error) {
            if (rows_ == 1)
                refuseForeign(foreignText(head));
            refused(error.what());
            return;
        }
        give(line.number(), row, place);
    }

    void refuseForeign(const std::string& kind) const {
        if (!kind.empty())
            throw Error::fileFormat(name_, "", "not JSON Lines (one object a line): it is " + kind);
    }

    void finish() {
        if (refused_ > 1)
            throw Error(ErrorKind::file_format, fmt::format("{} (and {} more bad {})", reported_.front(),
                                                            refused_ - 1, refused_ == 2 ? "row" : "rows"))
                .withDetails(std::move(reported_));
        if (refused_ == 1)
            throw Error(ErrorKind::file_format, reported_.front());
        if (rows_ == 0)
            throw Error::fileFormat(name_, "", "no rows: the file is empty or has only blank lines");
    }

private:
    static Json parse(const LineReader& line, std::string_view text, const std::string& place) {
        if (line.tooLong())
            throw Error::fileFormat(place, "",
                                    fmt::format("{} bytes long from byte {} of the file, more than {}",
                                                line.length(), line.offset(), kMaxJsonLine));
        if (const size_t at = text.find('\r'); at != std::string_view::npos)
            throw Error::fileFormat(place, fmt::format("byte {}", at + 1),
                                    "carriage return without a line feed: line ends are LF or CRLF");
        return parseStrictJson(text, place, kRowLimits);
    }

    void give(int64_t number, const Json& row, const std::string& place) {
        try {
            if (!row.is_object())
                throw rowError(fmt::format("an object is wanted, this is {} {}", row.is_array() ? "an" : "a",
                                           row.type_name()));
            on_row_(number, row);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::file_format)
                throw;
            const std::string_view message = error.what();
            refused(message.starts_with(name_ + ": ") ? std::string(message)
                                                      : fmt::format("{}: {}", place, message));
        }
    }

    void refused(std::string message) {
        if (++refused_ <= static_cast<int64_t>(kMaxReported))
            reported_.push_back(std::move(message));
    }

    std::string name_;
    const std::function<void(int64_t, const Json&)>& on_row_;
    int64_t rows_ = 0;
    int64_t refused_ = 0;
    std::vector<std::string> reported_;
};

}  // namespace

void readJsonLines(const std::filesystem::path& path,
                   const std::function<void(int64_t line, const Json& row)>& on_row) {
    // Short enough that line and rule are never cut off a message.
    const std::string name = printable(path.native(), 800);
    const WatchedFile file(path, name);
    Rows rows(name, on_row);
    LineReader lines(file.handle(), name, file.size(), kMaxJsonLine);
    const std::string head = lines.head();
    rows.refuseForeign(foreignRows(head));
    while (lines.next())
        rows.take(lines, head);
    file.checkUnchanged();
    rows.finish();
}

}  // namespace spd
