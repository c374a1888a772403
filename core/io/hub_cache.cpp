#include "core/io/hub_cache.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <vector>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/strict_json.h"
#include "core/io/weights/shard_index.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

std::optional<std::string> variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr || *value == '\0' ? std::nullopt : std::optional<std::string>(value);
}

bool isWord(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Python's expanduser and expandvars; an unknown variable stays as it is written.
std::string expanded(const std::string& text) {
    std::string out;
    size_t i = 0;
    if (text == "~" || text.starts_with("~/")) {
        out = homeFolder().native();
        i = 1;
    }
    while (i < text.size()) {
        const bool braces = text.compare(i, 2, "${") == 0;
        const size_t begin = i + (braces ? 2 : 1);
        size_t end = begin;
        while (end < text.size() && isWord(text[end]))
            ++end;
        const bool closed = !braces || (end < text.size() && text[end] == '}');
        const char* value = nullptr;
        if (text[i] == '$' && end > begin && closed)
            value = std::getenv(text.substr(begin, end - begin).c_str());
        if (value != nullptr) {
            out += value;
            i = end + (braces ? 1 : 0);
        } else {
            out += text[i++];
        }
    }
    return out;
}

fs::path repositoryFolder(const std::string& id) {
    const size_t slash = id.find('/');
    return hubCacheFolder() / ("models--" + id.substr(0, slash) + "--" + id.substr(slash + 1));
}

/// Links into blobs/ count where they resolve to a file.
bool hasFile(const fs::path& path) {
    std::error_code error;
    return fs::is_regular_file(path, error);
}

/// The repository's files at that commit as snapshot_download() recorded them; an unreadable or newer record
/// counts as none, as it does for huggingface_hub.
std::optional<Json> recordedTree(const fs::path& repository, const std::string& commit) {
    const fs::path path = repository / "trees" / (commit + ".json");
    if (!hasFile(path))
        return std::nullopt;
    constexpr size_t most_tree_bytes = size_t{64} << 20;
    try {
        Json tree = parseStrictJson(readFile(path, most_tree_bytes), path.native(), {most_tree_bytes, 8});
        if (tree.is_object() && tree.value("format_version", Json()) == 1 && tree.contains("files") &&
            tree["files"].is_object())
            return std::move(tree["files"]);
    } catch (const Error&) {
    }
    return std::nullopt;
}

/// The first file that loading needs and the snapshot lacks; empty when it is complete.
std::string missingFile(const fs::path& repository, const fs::path& snapshot) {
    const std::optional<Json> tree = recordedTree(repository, snapshot.filename());
    const auto listed = [&tree](const std::string& name) { return tree && tree->contains(name); };
    const auto complete = [&](const std::string& name) {
        if (!hasFile(snapshot / name))
            return false;
        std::error_code error;
        const Json size =
            listed(name) && (*tree)[name].is_object() ? (*tree)[name].value("size", Json()) : Json();
        return !size.is_number_unsigned() || size.get<uint64_t>() == fs::file_size(snapshot / name, error);
    };
    if (!complete("config.json"))
        return "config.json";
    for (const char* name :
         {"generation_config.json", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"})
        if (listed(name) && !complete(name))
            return name;
    if (listed("model.safetensors") || hasFile(snapshot / "model.safetensors"))
        return complete("model.safetensors") ? "" : "model.safetensors";
    const std::string index_name = "model.safetensors.index.json";
    if (!complete(index_name))
        return "model.safetensors";
    const fs::path index_path = snapshot / index_name;
    try {
        for (const std::string& shard :
             parseShardIndex(readFile(index_path, most_index_bytes), index_path.native()).shards)
            if (!complete(shard))
                return shard;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::file_format)
            throw;
        return "a sound " + index_name;  // another snapshot may have one
    }
    return "";
}

/// Commits with a snapshot, the one of refs/main first, then the newest.
std::vector<std::string> commitsByPreference(const fs::path& repository) {
    struct Snapshot {
        std::string commit;
        fs::file_time_type time;
    };
    std::vector<Snapshot> found;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(repository / "snapshots", error))
        if (entry.is_directory(error))
            found.push_back({entry.path().filename().native(), entry.last_write_time(error)});
    std::string main_commit;
    if (hasFile(repository / "refs/main"))
        main_commit = readFile(repository / "refs/main", 4096);
    main_commit.erase(main_commit.find_last_not_of(" \r\n\t") + 1);
    std::sort(found.begin(), found.end(), [&main_commit](const Snapshot& a, const Snapshot& b) {
        const bool a_is_main = a.commit == main_commit;
        const bool b_is_main = b.commit == main_commit;
        if (a_is_main != b_is_main)
            return a_is_main;
        return a.time != b.time ? a.time > b.time : a.commit < b.commit;
    });
    std::vector<std::string> commits;
    for (Snapshot& snapshot : found)
        commits.push_back(std::move(snapshot.commit));
    return commits;
}

}  // namespace

fs::path homeFolder() {
    if (const auto home = variable("HOME"))
        return *home;
    const passwd* account = ::getpwuid(::getuid());
    return account != nullptr ? account->pw_dir : "/";
}

fs::path hubCacheFolder() {
    for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
        if (const auto folder = variable(name))
            return expanded(*folder);
    if (const auto folder = variable("HF_HOME"))
        return fs::path(expanded(*folder)) / "hub";
    if (const auto folder = variable("XDG_CACHE_HOME"))
        return fs::path(expanded(*folder)) / "huggingface/hub";
    return homeFolder() / ".cache/huggingface/hub";
}

bool isHubId(const std::string& id) {
    const size_t slash = id.find('/');
    if (slash == std::string::npos || id.size() > 96 || id.find("--") != std::string::npos ||
        id.find("..") != std::string::npos)
        return false;
    for (const std::string& part : {id.substr(0, slash), id.substr(slash + 1)}) {
        const bool allowed =
            std::all_of(part.begin(), part.end(), [](char c) { return isWord(c) || c == '-' || c == '.'; });
        if (part.empty() || !allowed || part.front() == '-' || part.front() == '.' || part.back() == '-' ||
            part.back() == '.')
            return false;
    }
    return true;
}

std::optional<ModelLocation> findInHubCache(const std::string& id) {
    const fs::path repository = repositoryFolder(id);
    std::string first_problem;
    for (const std::string& commit : commitsByPreference(repository)) {
        const fs::path snapshot = repository / "snapshots" / commit;
        const std::string missing = missingFile(repository, snapshot);
        if (missing.empty())
            return ModelLocation{snapshot, id, commit};
        if (first_problem.empty())
            first_problem = fmt::format("commit {} lacks {}", commit, missing);
    }
    if (first_problem.empty())
        return std::nullopt;
    throw Error(
        ErrorKind::not_found,
        fmt::format(
            "{}: no complete snapshot in the Hugging Face cache ({}); complete it with: hf download {}", id,
            printable(first_problem), id));
}

std::optional<ModelLocation> describeSnapshot(const fs::path& folder) {
    std::error_code error;
    const fs::path canonical = fs::canonical(folder, error);
    const std::string repository = canonical.parent_path().parent_path().filename();
    if (error || canonical.parent_path().filename() != "snapshots" || !repository.starts_with("models--"))
        return std::nullopt;
    const std::string name = repository.substr(std::string_view("models--").size());
    const size_t separator = name.find("--");
    if (separator == std::string::npos)
        return std::nullopt;
    const std::string id = name.substr(0, separator) + "/" + name.substr(separator + 2);
    return ModelLocation{folder, id, canonical.filename()};
}

}  // namespace spd
