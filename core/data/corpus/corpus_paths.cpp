#include "core/data/corpus/corpus_paths.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>
#include <vector>

#include "core/base/error.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

/// What AtomicFile's temporary names for `path` begin with; kLetters more follow.
std::string temporaryPrefix(const fs::path& path) {
    return "." + path.filename().native() + ".tmp-";
}
constexpr size_t kLetters = 6;

Error invalid(const fs::path& path, const char* rule) {
    return Error(ErrorKind::invalid_argument, printable(path.native(), 1000) + ": " + rule);
}

}  // namespace

CorpusPaths::CorpusPaths(const fs::path& out_path)
    : out(out_path), folder(out.has_parent_path() ? out.parent_path() : ".") {
    const std::string stem = (out.extension() == ".jsonl" ? out.stem() : out.filename()).native();
    partial = folder / (stem + ".partial.jsonl");
    meta = folder / (stem + ".meta.json");
    lock = folder / ("." + stem + ".lock");
}

fs::path metaOfCorpus(const fs::path& corpus) {
    const fs::path beside = CorpusPaths(corpus).meta;
    std::error_code error;
    if (fs::exists(beside, error) || !fs::is_symlink(corpus, error))
        return beside;
    const fs::path target = fs::canonical(corpus, error);
    return error ? beside : CorpusPaths(target).meta;
}

Found look(const fs::path& path) {
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0) {
        if (errno == ENOENT)
            return Found::nothing;
        throwSystemError(path, "cannot look at it");
    }
    if (!S_ISREG(status.st_mode))
        throw invalid(path, "not a regular file");
    return status.st_size == 0 ? Found::empty : Found::content;
}

void checkCorpusPaths(const CorpusPaths& paths) {
    struct stat status = {};
    if (::stat(paths.folder.c_str(), &status) != 0)
        throwSystemError(paths.folder, "folder of the output");
    if (!S_ISDIR(status.st_mode))
        throw invalid(paths.folder, "not a folder");
    // A name that could not be made at the end has to be refused before the work.
    const long limit = ::pathconf(paths.folder.c_str(), _PC_NAME_MAX);
    for (const fs::path& path : {paths.out, paths.meta, paths.partial})
        if (limit > 0 && temporaryPrefix(path).size() + kLetters > static_cast<size_t>(limit))
            throw invalid(paths.out, "name too long for the files that are made beside it");
    look(paths.out);
}

FileLock lockCorpus(const CorpusPaths& paths) {
    std::optional<FileLock> held = FileLock::tryLock(paths.lock);
    if (!held)
        throw invalid(paths.out, "another process is writing it");
    return std::move(*held);
}

void removeTemporaries(const CorpusPaths& paths) {
    std::vector<fs::path> left;
    std::error_code ignored;  // litter is no reason to refuse
    for (fs::directory_iterator entry(paths.folder, ignored), end; !ignored && entry != end;
         entry.increment(ignored)) {
        const std::string name = entry->path().filename().native();
        for (const fs::path& path : {paths.out, paths.meta}) {
            const std::string prefix = temporaryPrefix(path);
            if (name.starts_with(prefix) && name.size() == prefix.size() + kLetters)
                left.push_back(entry->path());
        }
    }
    for (const fs::path& path : left)
        fs::remove(path, ignored);
}

}  // namespace spd
