#include "core/store/sqlite/store_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/store/sqlite/migrations.h"

namespace spd::store {
namespace {

namespace fs = std::filesystem;

std::string openerPrefix(const fs::path& file) {
    return fmt::format(".{}.open-", file.filename().native());
}

constexpr std::string_view kMagic("SQLite format 3\0", 16);

/// At most `bytes` of the file; none where it cannot be read.
std::string beginningOf(const fs::path& file, size_t bytes) {
    const FileHandle handle(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    std::string text(bytes, '\0');
    const ssize_t got = handle ? ::pread(handle.descriptor(), text.data(), bytes, 0) : 0;
    text.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
    return text;
}

/// 20261125T101530Z. Only a name: the clock may be wrong.
std::string nowAsName() {
    const std::time_t now = std::time(nullptr);
    std::tm utc = {};
    gmtime_r(&now, &utc);
    std::array<char, 32> text = {};
    const size_t size = std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
    return {text.data(), size};
}

}  // namespace

void requirePlainFile(const fs::path& file) {
    struct stat status = {};
    if (::lstat(file.c_str(), &status) != 0) {
        if (errno == ENOENT)
            return;
        throwSystemError(file, "cannot stat");
    }
    if (S_ISLNK(status.st_mode))
        throw Error::fileFormat(file.native(), "",
                                "a symbolic link: its journal would lie elsewhere; move the database itself, "
                                "or name its folder with --workspace");
    if (!S_ISREG(status.st_mode))
        throw Error::fileFormat(file.native(), "", "not a regular file");
}

void requireNotForeign(const fs::path& file) {
    constexpr size_t application_id = 68;  // in the header of 100 bytes (sqlite.org/fileformat2.html)
    const std::string header = beginningOf(file, 100);
    if (header.size() < 100 || !header.starts_with(kMagic))
        return;
    int64_t id = 0;
    for (size_t i = 0; i < 4; ++i)
        id = id * 256 + static_cast<unsigned char>(header[application_id + i]);
    if (id != 0 && id != kApplicationId)
        throw Error::fileFormat(
            file.native(), "",
            fmt::format("a SQLite database of another program (application id {}); it was not touched", id));
}

FirstBytes firstBytes(const fs::path& file) {
    const std::string bytes = beginningOf(file, kMagic.size());
    if (bytes.empty())
        return FirstBytes::none;
    return bytes == kMagic ? FirstBytes::database : FirstBytes::other;
}

bool hasJournalToRollBack(const fs::path& file) {
    constexpr std::string_view journal = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
    return beginningOf(fs::path(file).concat("-journal"), journal.size()) == journal;
}

std::string_view networkFileSystem(unsigned long type) {
    // linux/magic.h, where it has them; the others from their kernel modules.
    static constexpr std::array<std::pair<unsigned long, std::string_view>, 13> all = {{
        {0x6969, "NFS"},
        {0x517B, "SMB"},
        {0xFE534D42, "SMB"},
        {0xFF534D42, "CIFS"},
        {0x01021997, "9P"},
        {0x5346414F, "AFS"},
        {0x00C36400, "Ceph"},
        {0x73757245, "Coda"},
        {0x564C, "NCP"},
        {0x0BD00BD0, "Lustre"},
        {0x47504653, "GPFS"},
        {0x19830326, "BeeGFS"},
        {0x65735546, "FUSE"},
    }};
    for (const auto& [magic, name] : all)
        if (magic == type)
            return name;
    return "";
}

std::vector<std::string> warningsAbout(const fs::path& file) {
    std::vector<std::string> lines;
    const std::string shown = printable(file.native(), 1000);
    struct statfs system = {};
    if (::statfs(file.parent_path().c_str(), &system) == 0) {
        const std::string_view name =
            networkFileSystem(static_cast<unsigned long>(system.f_type) & 0xFFFFFFFF);
        if (!name.empty())
            lines.push_back(
                fmt::format("{}: lies on a {} file system, whose locks may not hold: let one "
                            "process at a time use it, or choose a local --workspace",
                            shown, name));
    }
    struct stat status = {};
    if (::stat(file.c_str(), &status) == 0 && status.st_nlink > 1)
        lines.push_back(
            fmt::format("{}: has {} names (hard links); opened by another one it would be damaged", shown,
                        status.st_nlink));
    return lines;
}

fs::path setAside(const fs::path& file) {
    fs::path folder;
    for (int number = 1; folder.empty(); ++number) {
        const std::string end = number == 1 ? "" : fmt::format("-{}", number);
        const fs::path name = fs::path(file).concat(fmt::format(".damaged-{}{}", nowAsName(), end));
        if (::mkdir(name.c_str(), 0777) == 0)
            folder = name;
        else if (errno != EEXIST)
            throwSystemError(name, "cannot create");
    }
    // The journal first: were we killed in between, a new database must not find it.
    for (const char* end : {"-journal", "-wal", "-shm", ""}) {
        const fs::path from = fs::path(file).concat(end);
        if (::rename(from.c_str(), (folder / from.filename()).c_str()) != 0 && errno != ENOENT)
            throwSystemError(from, "cannot move it aside");
    }
    syncFolder(folder);
    syncFolder(file.parent_path());
    return folder;
}

std::optional<fs::path> newestBackup(const fs::path& file) {
    const std::string prefix = file.filename().native() + ".schema-";
    std::optional<fs::path> newest;
    for (const fs::directory_entry& entry : fs::directory_iterator(file.parent_path())) {
        const std::string name = entry.path().filename().native();
        if (name.starts_with(prefix) && name.find(".backup") != std::string::npos &&
            (!newest || entry.last_write_time() > fs::last_write_time(*newest)))
            newest = entry.path();
    }
    return newest;
}

OtherOpeners settleOpeners(const fs::path& file) {
    OtherOpeners others;
    std::vector<fs::path> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(file.parent_path()))
        if (entry.path().filename().native().starts_with(openerPrefix(file)))
            found.push_back(entry.path());
    for (const fs::path& path : found) {
        // Held: alive. Free: dead, and removed when this lock is let go.
        if (fs::exists(fs::symlink_status(path)) && FileLock::tryLock(path))
            others.died = true;
        else if (fs::exists(fs::symlink_status(path)))
            others.alive = true;
    }
    return others;
}

FileLock markOpen(const fs::path& file) {
    for (;;) {
        std::optional<FileLock> lock =
            FileLock::tryLock(file.parent_path() / (openerPrefix(file) + sixLetters()));
        if (lock)
            return std::move(*lock);
    }
}

void markSuspect(const fs::path& file) noexcept {
    try {
        const fs::path path = file.parent_path() / (openerPrefix(file) + "suspect");
        const FileHandle handle(::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666));
    } catch (...) {
        // Then the damage is found again as it was found now.
    }
}

}  // namespace spd::store
