#include "core/store/import/run_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/store/import/manifest.h"
#include "core/store/run_lines.h"
#include "core/subspace/subspace_folder.h"

namespace spd {
namespace fs = std::filesystem;
using namespace store;

namespace {

constexpr size_t kMostFiles = 10'000;
constexpr int kDeepest = 3;

/// A training's own copies of its state: the run's adapter and log lie beside them.
bool isCheckpoints(const fs::path& path) {
    return path.filename() == "checkpoints" && fs::exists(path.parent_path() / "train.meta.json");
}

/// Regular files in the order of their names. @throws Error not_found, file_format (too many), io
std::vector<fs::path> filesIn(const fs::path& folder) {
    std::error_code error;
    if (!fs::is_directory(folder, error))
        throw Error(ErrorKind::not_found,
                    fmt::format("{}: no such folder", printable(folder.native(), 1000)));
    std::vector<fs::path> files;
    fs::recursive_directory_iterator at(folder, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
        if (at.depth() >= kDeepest || isCheckpoints(at->path()))
            at.disable_recursion_pending();
        if (at->is_regular_file(error) && !at->is_symlink(error))
            files.push_back(at->path());
        if (files.size() > kMostFiles)
            throw Error::fileFormat(folder.native(), "",
                                    fmt::format("more than {} files; name a run's own folder", kMostFiles));
    }
    if (error)
        throw Error(ErrorKind::io,
                    fmt::format("{}: cannot be read: {}", printable(folder.native(), 1000), error.message()));
    std::sort(files.begin(), files.end());
    return files;
}

/// What a file is to the run; empty for one that the database does not list.
std::string artifactKind(const fs::path& path) {
    const std::string name = path.filename().native();
    if (name.ends_with(".partial.jsonl") || name.starts_with("."))
        return "";
    if (name == "subspace.safetensors" || name == "subspace.json")
        return "subspace";
    if (name == "adapter_model.safetensors" || name == "adapter_config.json")
        return "adapter";
    if (name == "training_log.jsonl")
        return "training_log";
    if (name == "results.json" || (name.starts_with("samples_") && name.ends_with(".jsonl")))
        return "results";
    if (isManifest(path))
        return "manifest";
    const fs::path meta = fs::path(path).replace_extension(".meta.json");
    if (path.extension() == ".jsonl" && fs::exists(meta))
        return "corpus";
    return path.extension() == ".safetensors" && fs::exists(path.parent_path() / "config.json") ? "model"
                                                                                                : "";
}

/// Unfinished work lies there: a corpus or a calibration that grows, a training without its result.
bool isUnfinished(const std::vector<fs::path>& files) {
    return std::any_of(files.begin(), files.end(), [](const fs::path& path) {
        const std::string name = path.filename().native();
        return name.ends_with(".partial.jsonl") || path.parent_path().extension() == ".partial" ||
               (name == "train.meta.json" && !fs::exists(path.parent_path() / "result.json")) ||
               (name == "training_log.jsonl" &&
                !fs::exists(path.parent_path() / "adapter/adapter_config.json"));
    });
}

class Collector {
public:
    Collector(const fs::path& folder, const JobContext& context) : folder_(folder), context_(context) {}

    RunStore::ImportedRun collect() {
        const std::vector<fs::path> files = filesIn(folder_);
        for (const fs::path& path : files)
            take(path, static_cast<int64_t>(files.size()));
        if (manifests_.empty() && run_.metrics.empty())
            throw Error::fileFormat(folder_.native(), "",
                                    "nothing here that spd wrote: no NAME.meta.json, subspace.json, "
                                    "spd_provenance.json, training_log.jsonl or results.json");
        for (const Manifest& manifest : manifests_)
            takeManifest(manifest);
        nameSubspaces();
        run_.run.experiment = "imported";
        run_.run.folder = folder_;
        run_.run.method = method();
        run_.run.seed = seed();
        run_.status = isUnfinished(files) ? RunStatus::killed : RunStatus::finished;
        return std::move(run_);
    }

private:
    void take(const fs::path& path, int64_t total) {
        context_.checkStop();
        context_.report({.phase = "import", .done = done_++, .total = total});
        constexpr std::string_view samples = "samples_";
        const std::string name = path.filename().native();
        if (name == "training_log.jsonl")
            append(run_.metrics, readTrainingLog(path));
        else if (name.starts_with(samples) && name.ends_with(".jsonl"))
            append(run_.examples, readSamples(path, path.stem().native().substr(samples.size())));
        else if (isManifest(path))
            manifests_.push_back(readManifest(path));
        if (const std::string kind = artifactKind(path); !kind.empty())
            run_.artifacts.push_back(
                {kind, fs::absolute(path), sha256OfFile(path), static_cast<int64_t>(fs::file_size(path))});
    }

    void takeManifest(const Manifest& manifest) {
        for (const KeyValue& param : paramsOf(manifest))
            if (keys_.insert(param.key).second)
                run_.params.push_back(param);
        append(run_.metrics, resultsOf(manifest));
        if (const Artifact* made = madeBy(manifest))
            append(run_.lineage, lineageOf(manifest, made->kind, made->sha256));
    }

    /// Corpora name a subspace by the hash of both its files; lineage by the artifact's, as runs of ours do.
    void nameSubspaces() {
        for (const Artifact& artifact : run_.artifacts) {
            const fs::path folder = artifact.path.parent_path();
            if (artifact.path.filename() != kSubspaceTensors || !fs::exists(folder / kSubspaceJson))
                continue;
            const std::string both = subspaceSha256(folder);
            for (LineageEdge& edge : run_.lineage)
                if (edge.from_kind == "subspace" && edge.from_sha256 == both)
                    edge.from_sha256 = artifact.sha256;
        }
    }

    /// The file that the manifest is about.
    const Artifact* madeBy(const Manifest& manifest) const {
        const fs::path folder = fs::absolute(manifest.path.parent_path());
        std::string stem = manifest.path.filename().native();
        stem = stem.substr(0, stem.find(".meta.json"));
        for (const Artifact& artifact : run_.artifacts) {
            if (artifact.path.parent_path() != folder)
                continue;
            const std::string name = artifact.path.filename().native();
            if ((manifest.kind == Manifest::Kind::meta && name == stem + ".jsonl") ||
                (manifest.kind == Manifest::Kind::provenance && name == "adapter_model.safetensors") ||
                (manifest.kind == Manifest::Kind::results && name == "results.json"))
                return &artifact;
        }
        return nullptr;
    }

    std::string method() const {
        for (const KeyValue& param : run_.params)
            if (param.key.ends_with(".method") && !param.value.empty())
                return param.value;
        for (const char* stage : {"evaluate", "train", "export", "generate"})
            for (const Manifest& manifest : manifests_)
                if (manifest.stage.starts_with(stage))  // "export peft"
                    return stage;
        return manifests_.empty() ? "train" : manifests_.front().stage;
    }

    std::optional<int64_t> seed() const {
        std::set<int64_t> seeds;
        for (const Manifest& manifest : manifests_) {
            const std::string key = manifest.stage + ".seed";
            for (const KeyValue& param : run_.params) {
                int64_t value = 0;
                const char* end = param.value.data() + param.value.size();
                const auto [at, error] = std::from_chars(param.value.data(), end, value);
                if (param.key == key && error == std::errc() && at == end)
                    seeds.insert(value);
            }
        }
        return seeds.size() == 1 ? std::optional(*seeds.begin()) : std::nullopt;
    }

    template <class T>
    static void append(std::vector<T>& to, std::vector<T> from) {
        to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    }

    fs::path folder_;
    const JobContext& context_;
    RunStore::ImportedRun run_;
    std::vector<Manifest> manifests_;
    std::set<std::string> keys_;
    int64_t done_ = 0;
};

}  // namespace

RunStore::ImportedRun readRunFolder(const fs::path& folder, const JobContext& context) {
    return Collector(folder, context).collect();
}

}  // namespace spd
