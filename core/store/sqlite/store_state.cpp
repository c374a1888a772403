#include "core/store/sqlite/store_state.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "core/store/sqlite/store_files.h"
#include "core/text/unicode/utf8.h"

namespace spd {
namespace fs = std::filesystem;
using namespace store;

namespace {

/// Why a file is no sound database of ours; only within this file.
struct Damage {
    std::string what;
};

std::string firstProblem(SQLite::Database& database) {
    const std::string found = database.execAndGet("PRAGMA quick_check(1)").getString();
    return found == "ok" ? "" : found;
}

fs::path madeFolder(const fs::path& workspace) {
    std::error_code error;
    const std::string shown = printable(workspace.native(), 1000);
    fs::create_directories(workspace, error);
    if (std::error_code unknown; fs::is_regular_file(workspace, unknown))
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("{}: is a file; a workspace is a folder", shown));
    const fs::path whole = error ? fs::path() : fs::canonical(workspace, error);
    if (error)
        throw Error(ErrorKind::io, fmt::format("{}: cannot make the workspace: {}", shown, error.message()));
    return whole;
}

}  // namespace

RunStore::State::State(const fs::path& folder)
    : workspace(madeFolder(folder)), file(workspace / "spd.sqlite") {
    requirePlainFile(file);
    notices = warningsAbout(file);
    const bool is_there = fs::exists(file);
    if (::access(workspace.c_str(), W_OK) == 0 && (!is_there || ::access(file.c_str(), W_OK) == 0))
        openForWriting();
    else
        openReadOnly();
}

void RunStore::State::openForWriting() {
    queue_.emplace(fs::path(file).concat(".lock"));
    const WriterQueue::Turn turn = queue_->wait(std::chrono::milliseconds(kBusyMilliseconds));
    const OtherOpeners others = settleOpeners(file);
    requireNotForeign(file);
    try {
        marker_ = markOpen(file);
        try {
            requireDatabaseText(others.died);
            connectAndCheck(others.died);
        } catch (const Damage& damage) {
            replaceDamaged(damage.what, others.alive);
        }
    } catch (...) {
        if (others.died)  // we have removed what said so
            markSuspect(file);
        throw;
    }
}

/// What is no database by its first bytes is not shown to SQLite, which would empty the journal beside it.
void RunStore::State::requireDatabaseText(bool was_unclean) {
    switch (firstBytes(file)) {
        case FirstBytes::none:
            if (fs::exists(file) && !was_unclean)  // else one that was killed while it made it
                notices.push_back(fmt::format("{}: was empty; a new database is made in it",
                                              printable(file.native(), 1000)));
            break;
        case FirstBytes::database:
            break;
        case FirstBytes::other:
            if (!hasJournalToRollBack(file))
                throw Damage{"its first bytes are not those of a database"};
            break;
    }
}

void RunStore::State::openReadOnly() {
    read_only = true;
    if (!fs::exists(file))
        throw Error(ErrorKind::not_found, fmt::format("{}: not there, and its folder cannot be written",
                                                      printable(file.native(), 1000)));
    guarded([&] {
        database_.emplace(connect(file, Access::read));
        const Identity identity = identify(*database_, migrations());
        if (identity.kind == Identity::Kind::foreign || identity.kind == Identity::Kind::damaged)
            throw Error::fileFormat(file.native(), "", identity.what);
        if (identity.kind == Identity::Kind::ours && identity.version < migrations().back().version)
            throw Error(ErrorKind::io,
                        fmt::format("{}: of schema {}; it has to be migrated, but cannot be written",
                                    printable(file.native(), 1000), identity.version));
    });
}

void RunStore::State::connectAndCheck(bool check_all) {
    try {
        database_.emplace(connect(file, Access::write));
        const Identity identity = identify(*database_, migrations());
        switch (identity.kind) {
            case Identity::Kind::foreign:
                throw Error::fileFormat(file.native(), "", identity.what + "; it was not touched");
            case Identity::Kind::damaged:
                throw Damage{identity.what};
            case Identity::Kind::newer:
                database_.emplace(connect(file, Access::read));
                read_only = true;
                notices.push_back(fmt::format(
                    "{}: of schema {}, made by a newer SPD Workbench (this one knows "
                    "{}): opened read-only",
                    printable(file.native(), 1000), identity.version, migrations().back().version));
                return;
            case Identity::Kind::empty:
            case Identity::Kind::ours:
                break;
        }
        useRollbackJournal(*database_);
        const std::string problem = check_all ? firstProblem(*database_) : "";
        if (!problem.empty())
            throw Damage{problem};
        if (const std::optional<fs::path> backup = migrate(*database_, file, migrations()))
            notices.push_back(fmt::format("{}: migrated from schema {} to {}; the old one is {}",
                                          printable(file.native(), 1000), identity.version,
                                          migrations().back().version, printable(backup->native(), 1000)));
        const std::string difference = schemaDifference(*database_, migrations());
        if (!difference.empty())
            throw Error::fileFormat(file.native(), "",
                                    difference + ": move the file away, or a backup into its place");
    } catch (const SQLite::Exception& error) {
        if (isDamage(error))
            throw Damage{error.getErrorStr()};
        throwAsError(error, file);
    }
}

void RunStore::State::replaceDamaged(const std::string& what, bool others_alive) {
    database_.reset();
    const std::string shown = printable(file.native(), 1000);
    if (others_alive) {
        markSuspect(file);
        throw Error(
            ErrorKind::file_format,
            fmt::format("{}: damaged ({}), and another spd process has it open: end that one, then start "
                        "again",
                        shown, printable(what)));
    }
    const fs::path folder = setAside(file);
    const std::optional<fs::path> backup = newestBackup(file);
    notices.push_back(
        fmt::format("{}: was damaged ({}); moved to {} with its journal, and a new database was made{}",
                    shown, printable(what), printable(folder.native(), 1000),
                    backup ? fmt::format("; the newest backup is {}", printable(backup->native(), 1000))
                           : std::string("; `spd runs import` adopts what lies on the disk")));
    try {
        connectAndCheck(false);
    } catch (const Damage& again) {
        throw Error(ErrorKind::io,
                    fmt::format("{}: a new database is damaged at once ({}): is the disk sound?", shown,
                                printable(again.what)));
    }
}

void RunStore::State::requireWritable() const {
    if (read_only)
        throw Error(ErrorKind::io, fmt::format("{}: opened read-only, nothing can be recorded",
                                               printable(file.native(), 1000)));
}

SQLite::Database& RunStore::State::opened() {
    if (database_)
        return *database_;
    // The disk failed under the last handle: what SQLite or the kernel believe of the file is not relied on.
    database_.emplace(connect(file, read_only ? Access::read : Access::write));
    if (!read_only)
        useRollbackJournal(*database_);
    if (is_suspect_) {
        const std::string problem = firstProblem(*database_);
        if (!problem.empty()) {
            database_.reset();
            markSuspect(file);
            throw Error(ErrorKind::file_format,
                        fmt::format("{}: damaged after the disk failed ({}); the next start sets it aside",
                                    printable(file.native(), 1000), printable(problem)));
        }
        is_suspect_ = false;
    }
    return *database_;
}

void RunStore::State::onFailure(const SQLite::Exception& error) {
    if (isDamage(error) && !read_only)
        markSuspect(file);
    if (isDamage(error) || isDiskFailure(error)) {
        is_suspect_ = true;
        database_.reset();
    }
}

std::string RunStore::State::stored(const fs::path& path) const {
    std::error_code unknown;  // a folder that may not be entered: the path as it was given
    fs::path whole = fs::weakly_canonical(fs::absolute(path), unknown);
    if (unknown)
        whole = fs::absolute(path).lexically_normal();
    const auto [inside, at] = std::mismatch(workspace.begin(), workspace.end(), whole.begin(), whole.end());
    std::string text = whole.native();
    if (inside == workspace.end() && at != whole.end())
        text = whole.lexically_relative(workspace).native();
    requireText(text, "a path");
    return text;
}

fs::path RunStore::State::absolute(const std::string& text) const {
    return text.empty() ? fs::path() : workspace / text;
}

namespace store {

void requireText(const std::string& text, std::string_view what) {
    if (unicode::validPrefix(text) != text.size() || text.find('\0') != std::string::npos)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("{} must be UTF-8 without NUL: {}", what, printable(text)));
}

int64_t nowMilliseconds() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

void requireRun(SQLite::Database& database, const std::string& run) {
    SQLite::Statement select(database, "SELECT 1 FROM runs WHERE run_id = ?1");
    bindAll(select, run);
    if (!select.executeStep())
        throw Error(ErrorKind::not_found, fmt::format("no run {} in the database", printable(run)));
}

fs::path lockFileOf(const fs::path& folder) {
    return folder / "run.lock";
}

bool isHeld(const fs::path& folder) {
    try {
        return FileLock::isHeld(lockFileOf(folder));
    } catch (const Error&) {
        return true;  // somebody else's, whose end we cannot tell
    }
}

}  // namespace store
}  // namespace spd
