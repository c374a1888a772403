#include "core/train/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "core/base/atomic_folder.h"
#include "core/base/error.h"
#include "core/base/run_log.h"
#include "core/base/sha256.h"
#include "core/base/strict_json.h"
#include "core/data/corpus/settings_difference.h"
#include "core/io/adapter_writer.h"
#include "core/train/training_checkpoint.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMeta = "train.meta.json";
constexpr const char* kResult = "result.json";
constexpr const char* kLog = "training_log.jsonl";
constexpr const char* kOwnFiles[] = {kMeta, kResult, kLog};
/// What result.json vouches for. The model card is its owner's to edit.
constexpr const char* kWritten[] = {"adapter/adapter_config.json", "adapter/adapter_model.safetensors",
                                    "adapter/spd_provenance.json", kLog};
constexpr JsonLimits kLimits = {.max_bytes = size_t{1} << 22, .max_depth = 64, .max_values = 100'000};

std::string text(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

bool isThere(const fs::path& path) {
    struct stat status = {};
    return ::lstat(path.c_str(), &status) == 0;
}

/// @throws Error not_found, file_format (no regular file), io
Json describe(const fs::path& path) {
    const std::string sha256 = sha256OfFile(path);
    std::error_code error;
    const auto size = fs::file_size(path, error);
    if (error)
        throw Error(ErrorKind::io, fmt::format("{}: {}", printable(path.native(), 1000), error.message()));
    return {{"size", size}, {"sha256", sha256}};
}

/// The first file that is not as `result` says; empty when all are. @throws Error io
std::string changedFile(const fs::path& folder, const Json& result) {
    const Json files = result.is_object() ? result.value("files", Json()) : Json();
    for (const char* name : kWritten) {
        try {
            if (!files.is_object() || files.value(name, Json()) != describe(folder / name))
                return name;
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::not_found && error.kind() != ErrorKind::file_format)
                throw;
            return name;
        }
    }
    return "";
}

void append(int file, std::string_view bytes, const fs::path& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            throwSystemError(path, "cannot write");
        bytes.remove_prefix(static_cast<size_t>(written));
    }
}

/// @return whether the folder was made.
bool makeFolder(const fs::path& path) {
    if (::mkdir(path.c_str(), 0777) == 0)
        return true;
    const int code = errno;
    std::error_code error;
    if (code == EEXIST && fs::is_directory(path, error))
        return false;
    errno = code == EEXIST ? ENOTDIR : code;
    throwSystemError(path, "cannot make the folder");
}

}  // namespace

RunFolder RunFolder::open(const fs::path& path, const Json& meta, bool resume, bool overwrite) {
    RunFolder folder(path, makeFolder(path));
    folder.lock_ = FileLock::tryLock(path / ".train.lock");
    if (!folder.lock_)
        throw Error(ErrorKind::invalid_argument,
                    printable(path.native(), 1000) + ": another process trains into this folder");
    // As it will be read back: a number's spelling may differ from the caller's value.
    folder.meta_text_ = text(meta);
    folder.look(parseStrictJson(folder.meta_text_, "settings", kLimits), resume, overwrite);
    return folder;
}

RunFolder::~RunFolder() {
    lock_.reset();
    if (made_)
        ::rmdir(path_.c_str());  // fails, as it should, when something lies in it
}

/// Why what lies there is not this run's; empty when it is, or when nothing is there.
std::string RunFolder::strangeness(const Json& meta) const {
    if (!isThere(path_ / kMeta)) {
        for (const char* ours : {"adapter", "checkpoints", kLog, kResult})
            if (isThere(path_ / ours))
                return fmt::format("{} is there, and no {} says what made it", ours, kMeta);
        return "";
    }
    try {
        const fs::path file = path_ / kMeta;
        const Json before = parseStrictJson(readFile(file, kLimits.max_bytes), file.native(), kLimits);
        return strangeSettings(before, meta, kMeta);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::file_format)
            throw;
        return fmt::format("nothing says what made it ({})", error.what());
    }
}

void RunFolder::look(const Json& meta, bool resume, bool overwrite) {
    std::string reason = strangeness(meta);
    if (!reason.empty() && !overwrite)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("{}: {}; --overwrite starts anew", printable(path_.native(), 1000), reason));
    const bool is_same = reason.empty() && isThere(path_ / kMeta);
    if (!is_same || (overwrite && !resume))
        return;
    if (isThere(path_ / kResult)) {
        lookAtResult();
    } else if (!resume) {
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("{}: a run that was stopped; --resume goes on, --overwrite starts anew",
                                printable(path_.native(), 1000)));
    }
    resumed_ = true;
}

/// The run is done where all that it wrote is as result.json says; else what is missing is made again.
void RunFolder::lookAtResult() {
    const fs::path file = path_ / kResult;
    try {
        Json result = parseStrictJson(readFile(file, kLimits.max_bytes), file.native(), kLimits);
        if (const std::string changed = changedFile(path_, result); !changed.empty())
            damage_ = fmt::format("{} is not as {} says", changed, kResult);
        else
            result_ = std::move(result);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::file_format)
            throw;
        damage_ = error.what();
    }
}

/// What AtomicFile leaves where it was killed; nobody else writes here while the lock is held.
void RunFolder::removeLeftFiles() const {
    for (const fs::directory_entry& entry : fs::directory_iterator(path_)) {
        const std::string name = entry.path().filename().native();
        const bool is_ours = std::any_of(std::begin(kOwnFiles), std::end(kOwnFiles), [&](const char* own) {
            return name.starts_with(fmt::format(".{}.tmp-", own));
        });
        if (is_ours && entry.is_regular_file() && ::unlink(entry.path().c_str()) != 0)
            throwSystemError(entry.path(), "cannot remove");
    }
}

void RunFolder::begin() {
    AtomicFolder(adapter(), kProvenance);  // refuses now what could not be replaced after all the work,
    if (isThere(checkpoints()))            // and before anything of an earlier run is gone
        makeFolder(checkpoints());
    removeLeftFiles();
    if (!resumed_) {
        for (const char* earlier : {kResult, kLog})  // the result first: it says that all is there
            if (::unlink((path_ / earlier).c_str()) != 0 && errno != ENOENT)
                throwSystemError(path_ / earlier, "cannot remove");
        removeCheckpoints(checkpoints());
    }
    if (!resumed_)
        writeFileAtomically(path_ / kMeta, meta_text_);  // before anything that it is said of
    makeFolder(checkpoints());
}

void RunFolder::startLog(const std::string& text) {
    const fs::path path = path_ / kLog;
    writeFileAtomically(path, text);
    log_ = FileHandle(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    if (!log_)
        throwSystemError(path, "cannot open");
    log_size_ = static_cast<int64_t>(text.size());
}

void RunFolder::appendLog(const std::string& line) {
    try {
        append(log_.descriptor(), line, path_ / kLog);
    } catch (const Error&) {
        (void)!::ftruncate(log_.descriptor(), log_size_);
        throw;
    }
    log_size_ += static_cast<int64_t>(line.size());
}

void RunFolder::note(const std::string& text) const {
    try {
        appendToRunLog(path_ / "log.txt", fmt::format("train: {}", text));
    } catch (const Error&) {  // no work stops for a line of the log
    }
}

void RunFolder::finish(Json result) {
    Json& files = result["files"] = Json::object();
    for (const char* name : kWritten)
        files[name] = describe(path_ / name);
    writeFileAtomically(path_ / kResult, text(result));
}

}  // namespace spd
