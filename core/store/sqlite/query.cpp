#include "core/store/sqlite/query.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <chrono>
#include <memory>
#include <string_view>

#include "core/base/error.h"
#include "core/store/sqlite/connection.h"
#include "core/store/sqlite/store_state.h"

namespace spd::store {
namespace {

using Clock = std::chrono::steady_clock;
using StatementHandle = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

constexpr int kMaxCellBytes = 16 << 20;
constexpr int kStepsBetweenLooks = 10'000;  // of SQLite's virtual machine: well under a millisecond

/// Reading, functions, recursive queries; no pragma, no attach, no temporary table.
int authorize(void*, int action, const char*, const char*, const char*, const char*) {
    const bool reads = action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_FUNCTION ||
                       action == SQLITE_RECURSIVE;
    return reads ? SQLITE_OK : SQLITE_DENY;
}

int isLate(void* end) {
    return Clock::now() >= *static_cast<const Clock::time_point*>(end) ? 1 : 0;
}

[[noreturn]] void refuse(const std::string& rule) {
    throw Error(ErrorKind::invalid_argument, fmt::format("query: {}", rule));
}

void guard(sqlite3* handle, Clock::time_point& end) {
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kMaxCellBytes);
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(handle, SQLITE_LIMIT_WORKER_THREADS, 0);
    sqlite3_set_authorizer(handle, authorize, nullptr);
    sqlite3_progress_handler(handle, kStepsBetweenLooks, isLate, &end);
}

[[noreturn]] void throwStopped(sqlite3* handle, int code, const QueryLimits& limits) {
    const std::string said = printable(sqlite3_errmsg(handle), 500);
    switch (code & 0xFF) {
        case SQLITE_INTERRUPT:
            refuse(fmt::format("took more than {} s", limits.seconds));
        case SQLITE_AUTH:
            refuse(fmt::format("only reading is allowed ({})", said));
        case SQLITE_ERROR:
        case SQLITE_TOOBIG:
        case SQLITE_MISMATCH:
        case SQLITE_READONLY:
            refuse(said);
        default:
            throw SQLite::Exception(handle, code);
    }
}

StatementHandle prepare(sqlite3* handle, const std::string& sql, const QueryLimits& limits) {
    sqlite3_stmt* raw = nullptr;
    const char* tail = nullptr;
    const int code = sqlite3_prepare_v2(handle, sql.data(), static_cast<int>(sql.size()), &raw, &tail);
    StatementHandle statement(raw, sqlite3_finalize);
    if (code != SQLITE_OK)
        throwStopped(handle, code, limits);
    if (!statement)
        refuse("no statement");
    while (tail < sql.data() + sql.size()) {  // what is behind it may be a comment
        sqlite3_stmt* more = nullptr;
        const int more_code =
            sqlite3_prepare_v2(handle, tail, static_cast<int>(sql.data() + sql.size() - tail), &more, &tail);
        sqlite3_finalize(more);
        if (more_code != SQLITE_OK || more)
            refuse("one statement at a time");
    }
    if (sqlite3_column_count(raw) == 0 || sqlite3_stmt_readonly(raw) == 0)
        refuse("only SELECT, WITH and VALUES are answered");
    if (sqlite3_bind_parameter_count(raw) > 0)
        refuse("no values are given for its parameters");
    return statement;
}

std::string hexOf(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes)
        text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return text;
}

std::optional<std::string> cellOf(sqlite3_stmt* row, int column, char& type) {
    const auto bytes = [&](const void* data) {
        return std::string_view(static_cast<const char*>(data),
                                static_cast<size_t>(sqlite3_column_bytes(row, column)));
    };
    switch (sqlite3_column_type(row, column)) {
        case SQLITE_INTEGER:
            type = 'i';
            return fmt::format("{}", sqlite3_column_int64(row, column));
        case SQLITE_FLOAT:
            type = 'r';
            return fmt::format("{}", sqlite3_column_double(row, column));
        case SQLITE_TEXT:
            type = 't';
            return std::string(bytes(sqlite3_column_text(row, column)));
        case SQLITE_BLOB:
            type = 'b';
            return hexOf(bytes(sqlite3_column_blob(row, column)));
        default:
            type = 'n';
            return std::nullopt;
    }
}

QueryResult collect(sqlite3* handle, sqlite3_stmt* statement, const QueryLimits& limits) {
    QueryResult result;
    const int columns = sqlite3_column_count(statement);
    for (int i = 0; i < columns; ++i)
        result.columns.emplace_back(sqlite3_column_name(statement, i));
    int64_t bytes = 0;
    int code = SQLITE_OK;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (static_cast<int64_t>(result.rows.size()) == limits.rows) {
            result.cut = true;
            return result;
        }
        std::vector<std::optional<std::string>> row;
        std::vector<char> types(static_cast<size_t>(columns), 'n');
        for (int i = 0; i < columns; ++i) {
            row.push_back(cellOf(statement, i, types[static_cast<size_t>(i)]));
            bytes += 64 + static_cast<int64_t>(row.back() ? row.back()->size() : 0);
        }
        if (bytes > limits.bytes)
            refuse(fmt::format("its answer is larger than {} MiB", limits.bytes >> 20));
        result.rows.push_back(std::move(row));
        result.types.push_back(std::move(types));
    }
    if (code != SQLITE_DONE)
        throwStopped(handle, code, limits);
    return result;
}

}  // namespace

QueryResult runQuery(const std::filesystem::path& file, const std::string& sql, const QueryLimits& limits) {
    requireText(sql, "a query");
    constexpr size_t most_bytes = 1'000'000;
    if (sql.size() > most_bytes)
        refuse(fmt::format("longer than {} bytes", most_bytes));
    try {
        SQLite::Database database = connect(file, Access::read);
        database.exec("PRAGMA query_only = ON; PRAGMA temp_store = FILE; PRAGMA cache_size = -16384");
        Clock::time_point end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                                   std::chrono::duration<double>(limits.seconds));
        guard(database.getHandle(), end);
        const StatementHandle statement = prepare(database.getHandle(), sql, limits);
        return collect(database.getHandle(), statement.get(), limits);
    } catch (const SQLite::Exception& error) {
        throwAsError(error, file);
    }
}

}  // namespace spd::store
