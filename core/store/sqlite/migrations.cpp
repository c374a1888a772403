#include "core/store/sqlite/migrations.h"

#include <SQLiteCpp/Backup.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <memory>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/store/sqlite/connection.h"

namespace spd::store {
namespace {

namespace fs = std::filesystem;

int64_t versionOf(SQLite::Database& database) {
    return integerOf(database, "PRAGMA user_version");
}

/// Statement by statement, so that a test can stand between two. @throws SQLite::Exception
void executeAll(SQLite::Database& database, std::string_view sql, const BeforeStatement& before,
                int& number) {
    const char* at = sql.data();
    const char* const end = at + sql.size();
    while (at < end) {
        sqlite3_stmt* raw = nullptr;
        const int code = sqlite3_prepare_v2(database.getHandle(), at, static_cast<int>(end - at), &raw, &at);
        if (code != SQLITE_OK)
            throw SQLite::Exception(database.getHandle(), code);
        const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
        if (!statement)
            continue;  // white space, a comment
        if (before)
            before(number++);
        const int stepped = sqlite3_step(raw);
        if (stepped != SQLITE_ROW && stepped != SQLITE_DONE)
            throw SQLite::Exception(database.getHandle(), stepped);
    }
}

/// FILE.schema-N.backup, or with a number behind when earlier ones lie there.
fs::path backupName(const fs::path& file, int64_t version) {
    fs::path path = fs::path(file).concat(fmt::format(".schema-{}.backup", version));
    for (int number = 2; fs::exists(fs::symlink_status(path)); ++number)
        path = fs::path(file).concat(fmt::format(".schema-{}.backup-{}", version, number));
    return path;
}

/// A copy of what is committed, whole and synced under its name or not there. Never by copying the file: its
/// journal is a part of it.
fs::path backUp(const fs::path& file, int64_t version) {
    const fs::path path = backupName(file, version);
    const fs::path temporary = file.parent_path() / fmt::format(".{}.backup.tmp", file.filename().native());
    ::unlink(temporary.c_str());  // of a migration that was killed: we hold the writers' lock
    {
        SQLite::Database source(file.native(), SQLite::OPEN_READONLY | SQLite::OPEN_NOFOLLOW,
                                kBusyMilliseconds);
        SQLite::Database copy(temporary.native(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
        copy.exec("PRAGMA synchronous = FULL; PRAGMA journal_mode = MEMORY");
        SQLite::Backup backup(copy, source);
        backup.executeStep(-1);
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0)
        throwSystemError(path, "cannot rename the finished backup");
    syncFolder(file.parent_path());
    return path;
}

void requireSoundKeys(SQLite::Database& database) {
    SQLite::Statement check(database, "PRAGMA foreign_key_check");
    if (check.executeStep())
        throw Error(ErrorKind::internal,
                    fmt::format("a migration left a row of {} without its parent in {}",
                                check.getColumn(0).getString(), check.getColumn(2).getString()));
}

using Objects = std::vector<std::pair<std::string, std::string>>;

Objects objectsOf(SQLite::Database& database) {
    SQLite::Statement select(database,
                             "SELECT name, coalesce(sql, '') FROM sqlite_schema"
                             " WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name");
    Objects objects;
    while (select.executeStep())
        objects.emplace_back(select.getColumn(0).getString(), select.getColumn(1).getString());
    return objects;
}

}  // namespace

Identity identify(SQLite::Database& database, std::span<const Migration> known) {
    const int64_t application = integerOf(database, "PRAGMA application_id");
    const int64_t version = versionOf(database);
    const int64_t objects = integerOf(database, "SELECT count(*) FROM sqlite_schema");
    if (application == 0 && version == 0 && objects == 0)
        return {};
    if (application != kApplicationId)
        return {Identity::Kind::foreign, version,
                fmt::format("a SQLite database of another program (application id {}, {} tables and indexes)",
                            application, objects)};
    if (version < 1)
        return {Identity::Kind::damaged, version, fmt::format("says that its schema is {}", version)};
    return {version > known.back().version ? Identity::Kind::newer : Identity::Kind::ours, version, ""};
}

std::optional<fs::path> migrate(SQLite::Database& database, const fs::path& file,
                                std::span<const Migration> known, const BeforeStatement& before_statement) {
    if (versionOf(database) >= known.back().version)
        return std::nullopt;
    database.exec("PRAGMA foreign_keys = OFF");  // tables that others refer to may be made anew
    std::optional<fs::path> backup;
    {
        SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
        const int64_t version = versionOf(database);  // once more: nobody comes between from here on
        if (version > 0 && version < known.back().version)
            backup = backUp(file, version);
        int number = 0;
        for (const Migration& migration : known) {
            if (migration.version <= version)
                continue;
            executeAll(database, migration.sql, before_statement, number);
            const std::string mark = fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {}",
                                                 migration.version, kApplicationId);
            executeAll(database, mark, before_statement, number);
        }
        requireSoundKeys(database);
        if (before_statement)
            before_statement(number);
        transaction.commit();
    }
    database.exec("PRAGMA foreign_keys = ON");
    return backup;
}

std::string schemaDifference(SQLite::Database& database, std::span<const Migration> known) {
    SQLite::Database reference(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    for (const Migration& migration : known)
        reference.exec(std::string(migration.sql));
    const Objects found = objectsOf(database);
    for (const auto& object : objectsOf(reference)) {
        bool is_there = false;
        for (const auto& [name, sql] : found) {
            if (name != object.first)
                continue;
            is_there = true;
            if (sql != object.second)
                return fmt::format("\"{}\" is not that of schema {}", name, known.back().version);
        }
        if (!is_there)
            return fmt::format("\"{}\" of schema {} is missing", object.first, known.back().version);
    }
    return "";
}

}  // namespace spd::store
