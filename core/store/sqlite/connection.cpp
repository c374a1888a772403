#include "core/store/sqlite/connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <system_error>

#include "core/base/error.h"

namespace spd::store {
namespace {

int primaryCode(const SQLite::Exception& error) {
    return error.getErrorCode() & 0xFF;
}

}  // namespace

bool isDamage(const SQLite::Exception& error) {
    const int code = primaryCode(error);
    return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
           error.getExtendedErrorCode() == SQLITE_IOERR_SHORT_READ;
}

bool isDiskFailure(const SQLite::Exception& error) {
    const int code = primaryCode(error);
    return code == SQLITE_FULL || (code == SQLITE_IOERR && !isDamage(error));
}

void throwAsError(const SQLite::Exception& error, const std::filesystem::path& path) {
    const std::string file = printable(path.native(), 1000);
    const std::string said = printable(error.getErrorStr());
    const auto failure = [&](ErrorKind kind, const std::string& what) {
        return Error(kind, fmt::format("{}: {}", file, what));
    };
    if (isDamage(error))
        throw failure(ErrorKind::file_format,
                      fmt::format("damaged ({}); the next start checks it and sets it aside", said));
    switch (primaryCode(error)) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            throw failure(ErrorKind::io, fmt::format("in use by another process for more than {} s",
                                                     kBusyMilliseconds / 1000));
        case SQLITE_FULL:
            throw failure(ErrorKind::io,
                          "cannot write: no space left on the disk; nothing of this was recorded");
        case SQLITE_IOERR:
            throw failure(ErrorKind::io,
                          fmt::format("cannot write or read: {} ({}); nothing of this was recorded", said,
                                      error.getExtendedErrorCode()));
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            throw failure(ErrorKind::io, fmt::format("cannot open or write: {}", said));
        case SQLITE_NOMEM:
            throw Error(ErrorKind::out_of_memory, "out of memory");
        case SQLITE_TOOBIG:
            throw failure(ErrorKind::invalid_argument, "a text is too large");
        default:
            throw failure(ErrorKind::internal, said);
    }
}

SQLite::Database connect(const std::filesystem::path& path, Access access) {
    const int flags =
        access == Access::read ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE;
    SQLite::Database database(path.native(), flags | SQLite::OPEN_NOFOLLOW, kBusyMilliseconds);
    sqlite3* handle = database.getHandle();
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
    database.exec(
        "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA foreign_keys = ON;"
        "PRAGMA synchronous = FULL");
    if (integerOf(database, "PRAGMA foreign_keys") != 1)
        throw Error(ErrorKind::internal, "this SQLite was built without foreign keys");
    return database;
}

void useRollbackJournal(SQLite::Database& database) {
    const std::string mode = database.execAndGet("PRAGMA journal_mode = TRUNCATE").getString();
    if (mode != "truncate")
        throw Error(ErrorKind::io, fmt::format("{}: its journal mode {} cannot be changed just now",
                                               printable(database.getFilename(), 1000), mode));
}

int64_t integerOf(SQLite::Database& database, const char* sql) {
    return database.execAndGet(sql).getInt64();
}

}  // namespace spd::store
