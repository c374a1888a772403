#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace spd::store {

inline constexpr int kBusyMilliseconds = 60'000;

/// What SQLite says when a file is no sound database; becomes an Error, or the reason to set the file aside.
bool isDamage(const SQLite::Exception& error);
/// The disk did not take what was written: nothing that this handle believes to have written can be relied
/// on.
bool isDiskFailure(const SQLite::Exception& error);

/// One line for the user: "PATH: ...". @throws Error
[[noreturn]] void throwAsError(const SQLite::Exception& error, const std::filesystem::path& path);

enum class Access { read, write };

/// Opens a database with every guard that a file from outside asks for: no loadable code, no trusted schema,
/// sizes of cells checked, nothing mapped, foreign keys enforced, synced commits. Changes no byte.
/// @param access  write: made when it is not there. @throws SQLite::Exception
SQLite::Database connect(const std::filesystem::path& path, Access access);

/// Before the first write: the journal is a file that is cut, never a WAL (which SQLite before 3.51.3 can
/// damage when several processes have it open). @throws SQLite::Exception; Error io
void useRollbackJournal(SQLite::Database& database);

inline void bind(SQLite::Statement& statement, int index, const std::string& value) {
    statement.bind(index, value);
}
inline void bind(SQLite::Statement& statement, int index, int64_t value) {
    statement.bind(index, value);
}
inline void bind(SQLite::Statement& statement, int index, double value) {
    statement.bind(index, value);
}
template <class T>
void bind(SQLite::Statement& statement, int index, const std::optional<T>& value) {
    if (value)
        bind(statement, index, *value);
    else
        statement.bind(index);
}

/// Binds the values to ?1, ?2, ... in their order.
template <class... Values>
void bindAll(SQLite::Statement& statement, const Values&... values) {
    int index = 0;
    (bind(statement, ++index, values), ...);
}

/// Runs one statement without rows. @return rows changed. @throws SQLite::Exception
template <class... Values>
int execute(SQLite::Database& database, const char* sql, const Values&... values) {
    SQLite::Statement statement(database, sql);
    bindAll(statement, values...);
    return statement.exec();
}

/// The single value that a statement answers. @throws SQLite::Exception
int64_t integerOf(SQLite::Database& database, const char* sql);

inline std::optional<int64_t> optionalInteger(const SQLite::Column& column) {
    return column.isNull() ? std::nullopt : std::optional<int64_t>(column.getInt64());
}

}  // namespace spd::store
