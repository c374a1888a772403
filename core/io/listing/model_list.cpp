#include "core/io/listing/model_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/io/hub_cache.h"
#include "core/io/model_config.h"
#include "core/io/weights/shard_index.h"
#include "core/text/unicode/utf8.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

bool isText(const std::string& name) {
    return unicode::validPrefix(name) == name.size();
}

bool isFile(const fs::path& path) {
    std::error_code unreadable;
    return fs::is_regular_file(path, unreadable);
}

/// Folders below `folder` that are no hidden ones, sorted. An unreadable folder counts as empty.
std::vector<fs::path> foldersIn(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename();
        std::error_code ignored;
        if (!name.starts_with('.') && isText(name) && entry->is_directory(ignored))
            found.push_back(entry->path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

/// The files of the weights. @throws Error file_format, io: an index that is refused
std::vector<fs::path> weightFiles(const fs::path& folder) {
    if (isFile(folder / "model.safetensors"))
        return {folder / "model.safetensors"};
    const fs::path index = folder / "model.safetensors.index.json";
    if (!isFile(index))
        throw Error(ErrorKind::not_found,
                    "has neither model.safetensors nor model.safetensors.index.json: weights in other "
                    "formats are not read");
    std::vector<fs::path> files;
    for (const std::string& shard : parseShardIndex(readFile(index, most_index_bytes), index.native()).shards)
        files.push_back(folder / shard);
    return files;
}

/// Fills in what lies in the folder.
void look(ListedModel& model) {
    try {
        const ModelConfig config = readModelConfig(model.folder);
        model.architecture = config.architecture;
        model.dtype = name(config.dtype);
        for (const fs::path& file : weightFiles(model.folder)) {
            std::error_code missing;
            const uintmax_t size = fs::file_size(file, missing);
            if (missing)
                throw Error(ErrorKind::not_found,
                            fmt::format("lacks {} of its weights", printable(file.filename().native())));
            model.bytes += static_cast<int64_t>(size);
        }
        if (!isFile(model.folder / "tokenizer.json"))
            throw Error(ErrorKind::not_found, "has no tokenizer.json");
    } catch (const Error& error) {
        model.problem = error.what();
    }
}

void listWorkspace(const fs::path& models, std::vector<ListedModel>& list) {
    const auto add = [&](const fs::path& folder) {
        list.push_back({folder.lexically_relative(models), "workspace", folder, "", "", "", 0, ""});
        look(list.back());
    };
    for (const fs::path& folder : foldersIn(models)) {
        if (isFile(folder / "config.json")) {
            add(folder);
            continue;
        }
        for (const fs::path& below : foldersIn(folder))
            if (isFile(below / "config.json"))
                add(below);
    }
}

void listHub(std::vector<ListedModel>& list) {
    constexpr std::string_view prefix = "models--";
    for (const fs::path& folder : foldersIn(hubCacheFolder())) {
        const std::string name = folder.filename();
        const size_t separator = name.find("--", prefix.size());
        if (!name.starts_with(prefix) || separator == std::string::npos)
            continue;
        const std::string id = fmt::format("{}/{}", name.substr(prefix.size(), separator - prefix.size()),
                                           name.substr(separator + 2));
        if (!isHubId(id))
            continue;
        ListedModel model{id, "hub", folder, "", "", "", 0, ""};
        try {
            if (const auto found = findInHubCache(id)) {
                model.folder = found->folder;
                model.revision = found->revision;
                look(model);
            } else {
                model.problem =
                    fmt::format("the cache has no snapshot of it; download it with: hf download {}", id);
            }
        } catch (const Error& error) {
            model.problem = error.what();
        }
        list.push_back(std::move(model));
    }
}

}  // namespace

nlohmann::ordered_json ListedModel::toJson() const {
    return {{"model", model},
            {"source", source},
            {"folder", folder.native()},
            {"revision", revision},
            {"dtype", dtype},
            {"architecture", architecture},
            {"bytes", bytes},
            {"complete", problem.empty()},
            {"problem", problem}};
}

std::vector<ListedModel> listModels(const fs::path& workspace, const std::vector<fs::path>& folders) {
    std::vector<ListedModel> list;
    listWorkspace(workspace / "models", list);
    listHub(list);
    std::set<fs::path> known;
    for (const ListedModel& model : list)
        known.insert(model.folder);
    for (const fs::path& folder : folders)
        if (isText(folder) && isFile(folder / "config.json") && known.insert(folder).second) {
            list.push_back({folder, "folder", folder, "", "", "", 0, ""});
            look(list.back());
        }
    return list;
}

}  // namespace spd
