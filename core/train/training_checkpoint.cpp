#include "core/train/training_checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/base/atomic_folder.h"
#include "core/base/contained_folder.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/base/strict_json.h"
#include "core/io/adapter_writer.h"
#include "core/io/safetensors/file.h"
#include "core/io/safetensors/writer.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kManifest = "manifest.json";
constexpr const char* kState = "state.json";
constexpr const char* kLog = "training_log.jsonl";
constexpr const char* kOptimizer = "optimizer.safetensors";
constexpr size_t kMaxLog = size_t{1} << 30;
constexpr std::string_view kPrefix = "step-";
constexpr size_t kDigits = 8;

bool isCheckpointName(const std::string& name) {
    return name.size() == kPrefix.size() + kDigits && name.starts_with(kPrefix) &&
           name.find_first_not_of("0123456789", kPrefix.size()) == std::string::npos;
}

/// Names of the checkpoints, newest first. A folder that cannot be read is no empty one. @throws Error io
std::vector<std::string> checkpointsIn(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error))
        if (isCheckpointName(entry->path().filename()))
            names.push_back(entry->path().filename());
    if (error && error != std::errc::no_such_file_or_directory)
        throw Error(ErrorKind::io,
                    fmt::format("{}: cannot list: {}", printable(folder.native(), 1000), error.message()));
    std::sort(names.rbegin(), names.rend());
    return names;
}

std::string text(const Json& json) {
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json stateJson(const TrainingState& state, const Json& facts) {
    Json json = {{"format_version", 1}, {"step", state.step}};
    json.update(facts);
    json["pending"] = state.pending;
    json["evaluations_without_gain"] = state.evaluations_without_gain;
    json[kHeldOutLoss] = state.last_held_out ? Json(*state.last_held_out) : Json();
    json["best"] = state.best ? Json({{"step", state.best->step}, {"loss", state.best->loss}}) : Json();
    return json;
}

using FlatTensors = std::map<std::string, const std::vector<float>*>;

void writeFlat(const fs::path& path, const FlatTensors& tensors) {
    std::vector<TensorInfo> infos;
    for (const auto& [name, values] : tensors)
        infos.push_back({name, ElementType::f32, {static_cast<int64_t>(values->size())}});
    SafetensorsWriter writer(path, std::move(infos));
    for (const TensorInfo& tensor : writer.order()) {
        const std::vector<float>& values = *tensors.at(tensor.name);
        writer.append(values.data(), values.size() * sizeof(float));
    }
    writer.commit();
}

const TensorEntry* find(const SafetensorsFile& file, const std::string& name) {
    for (const TensorEntry& tensor : file.header().tensors)
        if (tensor.name == name)
            return &tensor;
    return nullptr;
}

std::vector<float> readFlat(const SafetensorsFile& file, const std::string& name) {
    const TensorEntry* entry = find(file, name);
    if (entry == nullptr || entry->type != ElementType::f32)
        throw Error::fileFormat(file.name(), name, "missing, or not of float32");
    std::vector<float> values(static_cast<size_t>(entry->elements()));
    file.read(*entry, 0, values.size() * sizeof(float), values.data());
    return values;
}

Json manifestOf(const fs::path& folder) {
    Json files = Json::object();
    std::vector<fs::path> paths;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths)
        files[path.filename().native()] = {{"size", fs::file_size(path)}, {"sha256", sha256OfFile(path)}};
    return {{"format_version", 1}, {"files", files}};
}

/// @throws Error what is wrong with it
void verify(const fs::path& checkpoint) {
    const fs::path path = checkpoint / kManifest;
    const JsonLimits limits;
    const Json manifest = parseStrictJson(readFile(path, limits.max_bytes), path.native(), limits);
    if (!manifest.is_object() || !manifest.contains("files") || !manifest["files"].is_object())
        throw Error::fileFormat(path.native(), "", "no list of files");
    for (const char* needed : {kState, kLog, kOptimizer, "adapter_config.json", "adapter_model.safetensors"})
        if (!manifest["files"].contains(needed))
            throw Error::fileFormat(path.native(), "", fmt::format("does not name {}", needed));
    for (const auto& [name, entry] : manifest["files"].items()) {
        const fs::path file = checkpoint / fs::path(name).filename();
        if (!entry.is_object() || entry.value("sha256", Json()) != Json(sha256OfFile(file)))
            throw Error::fileFormat(file.native(), "", "differs from what the manifest says of it");
    }
}

bool verifies(const fs::path& checkpoint) {
    try {
        verify(checkpoint);
        return true;
    } catch (const Error&) {
        return false;
    }
}

/// A state file that verified was written by writeCheckpoint(); JSON's own checks are enough.
TrainingState readState(const fs::path& checkpoint, const ModelConfig& config) {
    verify(checkpoint);
    const fs::path path = checkpoint / kState;
    const JsonLimits limits;
    TrainingState state;
    const SafetensorsFile optimizer = SafetensorsFile::open(ContainedFolder::open(checkpoint), kOptimizer);
    try {
        const Json json = parseStrictJson(readFile(path, limits.max_bytes), path.native(), limits);
        state.step = json.at("step").get<int64_t>();
        state.pending = json.at("pending").get<std::string>();
        state.evaluations_without_gain = json.at("evaluations_without_gain").get<int64_t>();
        state.threads = json.value("threads", int64_t{0});
        if (const Json& loss = json.at(kHeldOutLoss); !loss.is_null())
            state.last_held_out = loss.get<double>();
        if (const Json& best = json.at("best"); !best.is_null())
            state.best = {best.at("loss").get<double>(), best.at("step").get<int64_t>(),
                          find(optimizer, "best_values") != nullptr ? readFlat(optimizer, "best_values")
                                                                    : std::vector<float>()};
    } catch (const Json::exception& error) {
        throw Error::fileFormat(path.native(), "", error.what());
    }
    state.adapter = readAdapter(checkpoint, config);
    state.first = readFlat(optimizer, "exp_avg");
    state.second = readFlat(optimizer, "exp_avg_sq");
    state.log = readFile(checkpoint / kLog, kMaxLog);
    return state;
}

/// First the manifest: what is left of a removal that was killed does not verify.
void removeCheckpoint(const fs::path& checkpoint) {
    std::error_code error;
    fs::remove(checkpoint / kManifest, error);
    fs::remove_all(checkpoint, error);
}

void prune(const fs::path& folder) {
    constexpr int kKept = 2;
    int sound = 0;
    for (const std::string& name : checkpointsIn(folder))
        if (verifies(folder / name) && ++sound > kKept)
            removeCheckpoint(folder / name);
}

void putAside(const fs::path& checkpoint) {
    fs::path aside = checkpoint.native() + ".damaged";
    for (int number = 2; fs::exists(aside); ++number)
        aside = fmt::format("{}.damaged-{}", checkpoint.native(), number);
    if (::rename(checkpoint.c_str(), aside.c_str()) != 0)
        throwSystemError(checkpoint, "cannot put it aside");
}

void removeLeftovers(const fs::path& folder) {
    std::error_code error;
    std::vector<fs::path> left;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        const std::string name = entry->path().filename();
        if (name.starts_with(".step-") && name.find(".tmp-") != std::string::npos)
            left.push_back(entry->path());
    }
    for (const fs::path& path : left)
        fs::remove_all(path, error);
}

}  // namespace

void writeCheckpoint(const fs::path& folder, const TrainingState& state, const ModelConfig& config,
                     const Json& facts) {
    const fs::path path = folder / fmt::format("{}{:0{}}", kPrefix, state.step, kDigits);
    AtomicFolder files(path, kManifest);
    writeAdapterFiles(files.path(), state.adapter, config,
                      {{"stage", "train"}, {"checkpoint_of_step", state.step}});
    FlatTensors tensors = {{"exp_avg", &state.first}, {"exp_avg_sq", &state.second}};
    if (state.best && !state.best->values.empty())
        tensors["best_values"] = &state.best->values;
    writeFlat(files.path() / kOptimizer, tensors);
    writeFileAtomically(files.path() / kLog, state.log);
    writeFileAtomically(files.path() / kState, text(stateJson(state, facts)));
    writeFileAtomically(files.path() / kManifest, text(manifestOf(files.path())));
    files.commit();
    verify(path);
    prune(folder);
}

std::optional<TrainingState> newestCheckpoint(const fs::path& folder, const ModelConfig& config,
                                              std::vector<std::string>& damaged) {
    removeLeftovers(folder);
    for (const std::string& name : checkpointsIn(folder)) {
        try {
            TrainingState state = readState(folder / name, config);
            prune(folder);
            return state;
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::io || error.kind() == ErrorKind::out_of_memory)
                throw;  // says nothing of the file: it may pass
            damaged.push_back(fmt::format("{} is damaged and left aside: {}", name, error.what()));
            putAside(folder / name);
        }
    }
    return std::nullopt;
}

void removeCheckpoints(const fs::path& folder) {
    removeLeftovers(folder);
    for (const std::string& name : checkpointsIn(folder))
        removeCheckpoint(folder / name);
}

int64_t checkpointBytes(int64_t parameters, bool with_best) {
    constexpr int64_t kOtherFiles = 64 << 10;
    return parameters * 4 * (with_best ? 4 : 3) + kOtherFiles;
}

}  // namespace spd
