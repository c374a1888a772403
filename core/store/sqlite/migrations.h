#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace spd::store {

/// "SPDW": what tells our databases from those of other programs.
inline constexpr int64_t kApplicationId = 0x53504457;

struct Migration {
    int64_t version;       ///< the schema that it leads to
    std::string_view sql;  ///< statements, without transactions
};

/// All of them: versions 1, 2, ... in order.
std::span<const Migration> migrations();

/// What a database file is.
struct Identity {
    enum class Kind { empty, ours, newer, foreign, damaged };
    Kind kind = Kind::empty;
    int64_t version = 0;
    std::string what;  ///< foreign, damaged: why
};

/// @throws SQLite::Exception
Identity identify(SQLite::Database& database, std::span<const Migration> known);

/// Called in front of each statement with its number from 0; tests end the process there.
using BeforeStatement = std::function<void(int)>;

/// Brings an empty or older database to the last of `known` in one transaction that no other can come
/// between, foreign keys checked at its end; the old file is copied first. Does nothing where another process
/// was faster. @return the copy's path, where there was something to copy
/// @throws SQLite::Exception, Error (io; internal: foreign keys broken)
std::optional<std::filesystem::path> migrate(SQLite::Database& database, const std::filesystem::path& file,
                                             std::span<const Migration> known,
                                             const BeforeStatement& before_statement = {});

/// What differs from the schema that `known` makes: a table or index missing or other; empty when nothing.
/// What a user added is not looked at. @throws SQLite::Exception
std::string schemaDifference(SQLite::Database& database, std::span<const Migration> known);

}  // namespace spd::store
