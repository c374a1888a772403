#include "core/export/recorded/recorded_run.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/base/strict_json.h"
#include "core/pipeline/experiment/run_stages.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t most_meta_bytes = size_t{64} << 20;

/// A run's rows, and how they are refused.
class RunRows {
public:
    /// @throws Error invalid_argument where the run is not done
    RunRows(const RunStore& store, const RunRecord& run) : run_(run) {
        if (run.deleted_ms)
            refuse("was deleted");
        if (run.status != RunStatus::finished)
            refuse(fmt::format("is {}: only a FINISHED run is exported", spd::name(run.status)));
        artifacts_ = store.artifacts(run.id);
        for (KeyValue& param : store.params(run.id))
            params_[param.key] = std::move(param.value);
    }

    [[noreturn]] void refuse(const std::string& what) const {
        throw Error(ErrorKind::invalid_argument, said(what));
    }

    bool isImported() const { return run_.imported; }

    bool has(const std::string& key) const { return params_.contains(key); }
    /// Empty where there is none.
    std::string param(const std::string& key) const {
        const auto found = params_.find(key);
        return found == params_.end() ? "" : found->second;
    }

    /// The folder of the artifact of this kind and file name, whose files of this kind are as recorded.
    /// @param option  that names one where there are several
    fs::path onlyFolder(const std::string& kind, const char* file, const char* option) const {
        std::set<fs::path> folders;
        for (const Artifact& artifact : artifacts_)
            if (artifact.kind == kind && artifact.path.filename() == file)
                folders.insert(artifact.path.parent_path());
        if (folders.empty())
            refuse(fmt::format("has no {}: its method is {}", kind, printable(run_.method)));
        if (folders.size() > 1)
            refuse(fmt::format("has {} of kind {}, {} and {} among them: {} DIR names one", folders.size(),
                               kind, printable(folders.begin()->native(), 500),
                               printable(folders.rbegin()->native(), 500), option));
        for (const Artifact& artifact : artifacts_)
            if (artifact.kind == kind && artifact.path.parent_path() == *folders.begin())
                requireUnchanged(artifact);
        return *folders.begin();
    }

    /// "projection" of what made its corpora; null where nothing says so.
    Json projectionRecord() const {
        Json record;
        for (const Artifact& artifact : artifacts_) {
            if (!artifact.path.native().ends_with(".meta.json"))
                continue;
            requireUnchanged(artifact);
            const std::string file = artifact.path.native();
            const Json meta =
                parseStrictJson(readFile(file, most_meta_bytes), file, {.max_bytes = most_meta_bytes});
            const Json::json_pointer at("/intervention/projection");
            if (!meta.contains(at))
                continue;
            if (!record.is_null() && record != meta.at(at))
                refuse("has corpora of several projections: --subspace DIR and its options name one");
            record = meta.at(at);
        }
        return record;
    }

private:
    std::string said(const std::string& what) const {
        return fmt::format("run {} ({}) {}", run_.id, printable(run_.name), what);
    }

    void requireUnchanged(const Artifact& artifact) const {
        std::error_code error;
        const std::string shown = printable(artifact.path.native(), 1000);
        if (!fs::exists(artifact.path, error))
            throw Error(ErrorKind::not_found,
                        fmt::format("{}: is not there any more; {}", shown, said("recorded it")));
        if (sha256OfFile(artifact.path) != artifact.sha256)
            throw Error::fileFormat(
                artifact.path.native(), "",
                fmt::format("was changed: has another SHA-256 than {}", said("recorded")));
    }

    const RunRecord& run_;
    std::vector<Artifact> artifacts_;
    std::map<std::string, std::string> params_;
};

bool isSeed(const std::string& text) {
    uint64_t seed = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
    return error == std::errc() && end == text.data() + text.size();
}

double strengthOf(const RunRows& run, const std::string& text) {
    double strength = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), strength);
    if (error != std::errc() || end != text.data() + text.size())
        run.refuse(fmt::format("has no number as strength: \"{}\"", printable(text)));
    return strength;
}

/// From an experiment's params ("projection.rank_rule"), or from an imported corpus' record, which spells
/// layers as [0,2], has the seed of a random control apart, and says the ranks that allow_arbitrary let pass.
ProjectionSettings settingsOf(const RunRows& run, const std::string& prefix) {
    const auto param = [&](const char* key) { return run.param(prefix + key); };
    Experiment::Projection projection;
    projection.layers = param("layers");
    std::erase_if(projection.layers, [](char c) { return c == '[' || c == ']'; });
    projection.rank_rule = param("rank_rule");
    projection.project = param("project");
    projection.strength = strengthOf(run, param("strength"));
    projection.control = param("control");
    if (projection.control == "random")
        projection.control = fmt::format("random:{}", param("control_seed"));
    if (projection.control.starts_with("random:") && !isSeed(projection.control.substr(7)))
        run.refuse(fmt::format("has no seed in its control {}", printable(projection.control)));
    projection.when = param("when");
    projection.apply = param("apply");
    projection.allow_arbitrary = run.isImported() || param("allow_arbitrary") == "true";
    return projectionSettingsOf(projection);
}

}  // namespace

RecordedAdapter recordedAdapter(const RunStore& store, const RunRecord& run) {
    const RunRows rows(store, run);
    return {rows.onlyFolder("adapter", "adapter_model.safetensors", "--adapter"),
            rows.param(run.imported ? "train.model.id" : "model.path")};
}

RecordedProjection recordedProjection(const RunStore& store, const RunRecord& run) {
    const RunRows rows(store, run);
    const std::string prefix = run.imported ? "generate.intervention.projection." : "projection.";
    if (!rows.has(prefix + "rank_rule"))
        rows.refuse(fmt::format("has no projection: its method is {}", printable(run.method)));
    if (rows.param(prefix + "rank_rule") == "file")
        rows.refuse("took its ranks from a file: --subspace DIR --rank-rule file:F names it");
    return {rows.onlyFolder("subspace", "subspace.safetensors", "--subspace"), settingsOf(rows, prefix),
            rows.projectionRecord(), rows.param(run.imported ? "generate.model.id" : "model.path")};
}

}  // namespace spd
