#include "core/calibrate/calibration_folder.h"

#include <fmt/format.h>

#include <optional>

#include "core/base/atomic_folder.h"
#include "core/base/contained_folder.h"
#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/base/strict_json.h"
#include "core/calibrate/calibration_state.h"
#include "core/data/corpus/settings_difference.h"
#include "core/subspace/subspace_folder.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

/// Links resolved and no slash at the end, as AtomicFolder takes it: "beside" must mean the same place.
fs::path resolved(const fs::path& path) {
    std::error_code error;
    const fs::path full = fs::weakly_canonical(fs::absolute(path, error), error);
    return error || full.has_filename() ? full : full.parent_path();
}

fs::path beside(const fs::path& out, const std::string& before, const std::string& after) {
    return out.parent_path() / (before + out.filename().native() + after);
}

bool isThere(const fs::path& path) {
    std::error_code error;
    return fs::exists(fs::symlink_status(path, error));
}

Json describeFiles(const fs::path& folder) {
    Json files = Json::array();
    for (const char* name : {kSubspaceJson, kSubspaceTensors})
        files.push_back({{"path", name},
                         {"bytes", fs::file_size(folder / name)},
                         {"sha256", sha256OfFile(folder / name)}});
    return files;
}

}  // namespace

class CalibrationFolder::State {
public:
    State(const fs::path& path, Json command)
        : out(path), partial(beside(path, "", ".partial")), meta(std::move(command)) {}

    void lookAround(bool overwrite);

    fs::path out;
    fs::path partial;
    Json meta;
    std::optional<FileLock> lock;
    std::optional<AtomicFolder> folder;  ///< nothing when there is nothing left to write
    bool has_sums = false;
    bool complete = false;

    void removePartial() const {
        std::error_code error;  // what cannot be removed is looked at by the next start
        fs::remove(partial / kStateSums, error);
        fs::remove(partial / kStateJson, error);
        fs::remove(partial, error);
    }

private:
    std::string comparePartial();
    std::string compareOut();
};

/// Why the sums in `partial` cannot be gone on with; empty when they can.
std::string CalibrationFolder::State::comparePartial() {
    try {
        std::string reason =
            strangeSettings(checkCalibrationState(ContainedFolder::open(partial)), meta, kStateJson);
        has_sums = reason.empty();
        return reason;
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::io || error.kind() == ErrorKind::out_of_memory)
            throw;
        return error.what();
    }
}

/// Why OUT is not this command's; empty when it is, and then `complete`.
std::string CalibrationFolder::State::compareOut() {
    try {
        const JsonLimits limits = {.max_bytes = size_t{1} << 24};
        Json before = parseStrictJson(readFile(out / kCalibrationMeta, limits.max_bytes),
                                      (out / kCalibrationMeta).native(), limits);
        const Json files = before.is_object() ? before.value("files", Json()) : Json();
        if (before.is_object())
            before.erase("files");
        if (std::string reason = strangeSettings(before, meta, kCalibrationMeta); !reason.empty())
            return reason;
        if (files != describeFiles(out))
            return "changed since it was made";
        complete = true;
        return "";
    } catch (const fs::filesystem_error&) {
        return "changed since it was made";
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::io)
            throw;
        return error.what();
    }
}

void CalibrationFolder::State::lookAround(bool overwrite) {
    std::string reason;
    if (isThere(partial / kStateJson))
        reason = comparePartial();  // OUT, if there, is an earlier one that this command is to replace
    else if (isThere(out / kCalibrationMeta) && !overwrite)
        reason = compareOut();
    if (!reason.empty() && !overwrite)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("{}: {}; --overwrite starts anew", printable(out.native(), 1000), reason));
    if (complete)
        return;
    AtomicFolder(partial, kStateJson);  // may it be replaced? Better known now than after the work
    folder.emplace(out, kCalibrationMeta);
}

CalibrationFolder::CalibrationFolder(std::unique_ptr<State> state) : state_(std::move(state)) {}
CalibrationFolder::CalibrationFolder(CalibrationFolder&&) noexcept = default;
CalibrationFolder& CalibrationFolder::operator=(CalibrationFolder&&) noexcept = default;
CalibrationFolder::~CalibrationFolder() = default;

CalibrationFolder CalibrationFolder::open(const fs::path& out, Json meta, bool overwrite) {
    auto state = std::make_unique<State>(resolved(out), std::move(meta));
    if (std::error_code error; !fs::is_directory(state->out.parent_path(), error))
        throw Error(ErrorKind::not_found,
                    fmt::format("{}: there is no folder {} to make it in", printable(out.native(), 1000),
                                printable(state->out.parent_path().native(), 1000)));
    state->lock = FileLock::tryLock(beside(state->out, ".", ".lock"));
    if (!state->lock)
        throw Error(ErrorKind::invalid_argument,
                    printable(out.native(), 1000) + ": another process is writing it");
    state->lookAround(overwrite);
    return CalibrationFolder(std::move(state));
}

bool CalibrationFolder::complete() const {
    return state_->complete;
}

GramSums CalibrationFolder::takeUp(GramSums empty) const {
    return state_->has_sums ? readCalibrationState(ContainedFolder::open(state_->partial), std::move(empty))
                            : empty;
}

void CalibrationFolder::save(const GramSums& sums) {
    AtomicFolder folder(state_->partial, kStateJson);
    writeCalibrationState(folder.path(), state_->meta, sums);
    folder.commit();
}

void CalibrationFolder::finish(const Subspace& subspace) {
    const fs::path& folder = state_->folder->path();
    writeSubspaceFiles(folder, subspace);
    Json meta = state_->meta;
    meta["files"] = describeFiles(folder);
    writeFileAtomically(folder / kCalibrationMeta, meta.dump(2) + "\n");
    state_->folder->commit();
    state_->removePartial();
}

}  // namespace spd
