#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/store/rows/deletion_mark.h"
#include "core/store/run_store.h"
#include "core/store/sqlite/store_state.h"

namespace spd {
namespace fs = std::filesystem;
using namespace store;

namespace {

struct Move {
    fs::path from;
    fs::path to;
};

/// Renames all of them, or none: what was moved goes back when one cannot be.
class Moves {
public:
    Moves() = default;
    Moves(const Moves&) = delete;
    Moves& operator=(const Moves&) = delete;
    ~Moves() {
        if (is_kept_)
            return;
        while (done_ > 0) {
            --done_;
            (void)std::rename(moves_[done_].to.c_str(), moves_[done_].from.c_str());
        }
    }
    void add(Move move) { moves_.push_back(std::move(move)); }
    void run() {
        for (; done_ < moves_.size(); ++done_) {
            if (::mkdir(moves_[done_].to.parent_path().c_str(), 0777) != 0 && errno != EEXIST)
                throwSystemError(moves_[done_].to.parent_path(), "cannot create");
            if (std::rename(moves_[done_].from.c_str(), moves_[done_].to.c_str()) != 0)
                throwSystemError(moves_[done_].from, "cannot move");
        }
        for (const Move& move : moves_) {
            syncFolder(move.from.parent_path());
            syncFolder(move.to.parent_path());
        }
    }
    void keep() { is_kept_ = true; }

private:
    std::vector<Move> moves_;
    size_t done_ = 0;
    bool is_kept_ = false;
};

/// experiments/ID/shared/HASH of a stored path that lies in one; else empty.
std::string sharedFolderOf(const std::string& stored) {
    const fs::path path(stored);
    fs::path folder;
    int depth = 0;
    for (const fs::path& part : path) {
        if ((depth == 0 && part != "experiments") || (depth == 2 && part != "shared"))
            return "";
        folder /= part;
        if (++depth == 4)
            return folder.native();
    }
    return "";
}

/// Shared folders in which this run's artifacts lie and no other's.
std::set<std::string> ownSharedFolders(SQLite::Database& database, const std::string& run) {
    std::set<std::string> own;
    std::set<std::string> others;
    SQLite::Statement select(database,
                             "SELECT a.run_id, a.path FROM artifacts AS a JOIN runs USING (run_id)"
                             " WHERE deleted_ms IS NULL");
    while (select.executeStep()) {
        const std::string folder = sharedFolderOf(select.getColumn(1).getString());
        if (!folder.empty())
            (select.getColumn(0).getString() == run ? own : others).insert(folder);
    }
    for (const std::string& folder : others)
        own.erase(folder);
    return own;
}

/// A new folder WORKSPACE/trash/RUN, or with a number behind.
fs::path makeTrash(const fs::path& workspace, const std::string& run) {
    if (::mkdir((workspace / "trash").c_str(), 0777) != 0 && errno != EEXIST)
        throwSystemError(workspace / "trash", "cannot create");
    for (int number = 1;; ++number) {
        const fs::path folder = workspace / "trash" / (number == 1 ? run : fmt::format("{}-{}", run, number));
        if (::mkdir(folder.c_str(), 0777) == 0)
            return folder;
        if (errno != EEXIST)
            throwSystemError(folder, "cannot create");
    }
}

}  // namespace

fs::path RunStore::deleteRun(const std::string& id) {
    const RunRecord run = findRun(id);
    if (run.status == RunStatus::running || isHeld(run.folder))
        throw Error(ErrorKind::invalid_argument, fmt::format("run {} is running; stop it first", run.id));
    if (run.deleted_ms)
        throw Error(ErrorKind::invalid_argument, fmt::format("run {} is deleted already", run.id));
    std::error_code unknown;
    const bool has_files = !run.imported && fs::exists(run.folder, unknown);
    Moves moves;
    fs::path trash;
    state_->write([&](SQLite::Database& database) {
        if (has_files) {
            trash = makeTrash(state_->workspace, run.id);
            moves.add({run.folder, trash / run.folder.filename()});
            for (const std::string& shared : ownSharedFolders(database, run.id))
                if (fs::exists(state_->absolute(shared), unknown))
                    moves.add({state_->absolute(shared), trash / "shared" / fs::path(shared).filename()});
            writeDeletionMark(run.folder, run.id);
        }
        const auto stored = trash.empty() ? std::nullopt : std::optional(state_->stored(trash));
        execute(database, "UPDATE runs SET deleted_ms = ?2, trash = ?3 WHERE run_id = ?1", run.id,
                nowMilliseconds(), stored);
        moves.run();
    });
    moves.keep();
    return trash;
}

void RunStore::restoreRun(const std::string& id) {
    const RunRecord run = findRun(id);
    std::error_code unknown;
    const auto refuse = [&](const std::string& rule) {
        throw Error(ErrorKind::invalid_argument, fmt::format("run {} {}", run.id, rule));
    };
    if (!run.deleted_ms)
        refuse("is not deleted");
    if (run.imported)
        refuse(fmt::format("was imported: importing {} again brings it back",
                           printable(run.folder.native(), 1000)));
    const fs::path kept = run.trash / run.folder.filename();
    if (run.trash.empty() || !fs::exists(kept, unknown))
        throw Error(ErrorKind::not_found,
                    fmt::format("run {}: its files are not in the trash folder", run.id));
    if (fs::exists(run.folder, unknown))
        refuse(fmt::format("has another folder in its place: {}", printable(run.folder.native(), 1000)));
    Moves moves;
    moves.add({kept, run.folder});
    const fs::path shared = run.folder.parent_path().parent_path() / "shared";
    for (const fs::directory_entry& entry : fs::directory_iterator(run.trash / "shared", unknown))
        if (!fs::exists(shared / entry.path().filename(), unknown))
            moves.add({entry.path(), shared / entry.path().filename()});
    moves.run();
    moves.keep();
    settleRuns();
    fs::remove(run.trash / "shared", unknown);  // only where they are empty
    fs::remove(run.trash, unknown);
}

}  // namespace spd
