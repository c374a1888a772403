#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/store/run_store.h"
#include "core/store/sqlite/connection.h"
#include "core/store/sqlite/migrations.h"
#include "core/store/sqlite/writer_queue.h"

namespace spd {

/// What a RunStore has open, and the ways in: every statement goes through read() or write().
class RunStore::State {
public:
    explicit State(const std::filesystem::path& workspace);

    /// Runs `action(SQLite::Database&)`. @throws Error
    template <class Action>
    auto read(const Action& action) {
        return guarded([&] { return action(opened()); });
    }

    /// Runs `action(SQLite::Database&)` as one transaction, nobody else between; on the disk when it returns.
    /// @throws Error; then nothing of it is kept
    template <class Action>
    auto write(const Action& action) {
        requireWritable();
        const store::WriterQueue::Turn turn =
            queue_->wait(std::chrono::milliseconds(store::kBusyMilliseconds));
        return guarded([&] {
            SQLite::Transaction transaction(opened(), SQLite::TransactionBehavior::IMMEDIATE);
            if constexpr (std::is_void_v<decltype(action(*database_))>) {
                action(*database_);
                transaction.commit();
            } else {
                auto result = action(*database_);
                transaction.commit();
                return result;
            }
        });
    }

    /// The path as the database keeps it: relative to the workspace where it lies inside.
    /// @throws Error invalid_argument (not UTF-8)
    std::string stored(const std::filesystem::path& path) const;
    std::filesystem::path absolute(const std::string& stored) const;

    std::filesystem::path workspace;
    std::filesystem::path file;
    std::vector<std::string> notices;
    bool read_only = false;

    struct BegunRun {
        FileLock lock;
        std::chrono::steady_clock::time_point start;
    };
    std::map<std::string, BegunRun> begun;  ///< by run id

private:
    void requireWritable() const;
    SQLite::Database& opened();
    void openForWriting();
    void openReadOnly();
    void requireDatabaseText(bool was_unclean);
    void connectAndCheck(bool check_all);
    void replaceDamaged(const std::string& what, bool others_alive);
    void onFailure(const SQLite::Exception& error);

    template <class Action>
    auto guarded(const Action& action) {
        try {
            return action();
        } catch (const SQLite::Exception& error) {
            onFailure(error);
            store::throwAsError(error, file);
        }
    }

    std::optional<store::WriterQueue> queue_;  ///< none when read-only
    std::optional<FileLock> marker_;           ///< "this process has the database open"
    std::optional<SQLite::Database> database_;
    bool is_suspect_ = false;  ///< the disk failed under the last handle
};

namespace store {

/// @throws Error invalid_argument unless `text` is UTF-8 without NUL
void requireText(const std::string& text, std::string_view what);
int64_t nowMilliseconds();
/// @throws Error not_found
void requireRun(SQLite::Database& database, const std::string& run);
/// Where the holder of a run's lock file is gone.
bool isHeld(const std::filesystem::path& folder);
std::filesystem::path lockFileOf(const std::filesystem::path& folder);

}  // namespace store
}  // namespace spd
