#include "core/calibrate/calibration_state.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/base/strict_json.h"
#include "core/data/json_lines.h"
#include "core/io/safetensors/file.h"
#include "core/io/safetensors/writer.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

constexpr JsonLimits json_limits = {.max_bytes = size_t{256} << 20, .max_depth = 32};

std::string tensorName(const KvTarget& target, size_t half) {
    return toText(target) + (half == 0 ? ".even" : ".odd");
}

std::vector<int64_t> shapeOf(const TargetSums& sums) {
    const Eigen::Index width = sums.heads.front()[0].rows();
    return {static_cast<int64_t>(sums.heads.size()), width, width};
}

uint64_t bytesOf(const Eigen::MatrixXd& matrix) {
    return static_cast<uint64_t>(matrix.size()) * sizeof(double);
}

void writeSums(const std::filesystem::path& path, const GramSums& sums) {
    std::vector<TensorInfo> tensors;
    std::map<std::string, std::pair<const TargetSums*, size_t>> places;
    for (const auto& [target, of_target] : sums.targets)
        for (const size_t half : {size_t{0}, size_t{1}}) {
            tensors.push_back({tensorName(target, half), ElementType::f64, shapeOf(of_target)});
            places[tensors.back().name] = {&of_target, half};
        }
    SafetensorsWriter writer(path, std::move(tensors));
    for (const TensorInfo& tensor : writer.order()) {
        const auto& [of_target, half] = places.at(tensor.name);
        for (const auto& halves : of_target->heads)  // symmetric up to rounding: either order is the matrix
            writer.append(halves[half].data(), bytesOf(halves[half]));
    }
    writer.commit();
}

/// The "state" of state.json, whose hash fits. @throws Error
Json readState(const ContainedFolder& folder) {
    const std::string file = folder.nameOf(kStateJson);
    const Json json = parseStrictJson(folder.readFile(kStateJson, json_limits.max_bytes), file, json_limits);
    const auto state = json.is_object() ? json.find("state") : json.end();
    if (state == json.end() || !state->is_object() ||
        json.value("sha256", Json()) != Json(sha256Hex(state->dump())))
        throw Error::fileFormat(file, "", "damaged: its hash does not fit");
    return *state;
}

void readSums(const ContainedFolder& folder, GramSums& sums) {
    const SafetensorsFile file = SafetensorsFile::open(folder, kStateSums);
    std::map<std::string, const TensorEntry*> entries;
    for (const TensorEntry& entry : file.header().tensors)
        entries[entry.name] = &entry;
    for (auto& [target, of_target] : sums.targets)
        for (const size_t half : {size_t{0}, size_t{1}}) {
            const std::string tensor = tensorName(target, half);
            const auto entry = entries.find(tensor);
            if (entry == entries.end() || entry->second->type != ElementType::f64 ||
                entry->second->shape != shapeOf(of_target))
                throw Error::fileFormat(file.name(), fmt::format("tensor \"{}\"", tensor),
                                        "is missing or has another size");
            uint64_t offset = 0;
            for (auto& halves : of_target.heads) {
                file.read(*entry->second, offset, bytesOf(halves[half]), halves[half].data());
                offset += bytesOf(halves[half]);
            }
        }
}

}  // namespace

void writeCalibrationState(const std::filesystem::path& folder, const Json& meta, const GramSums& sums) {
    writeSums(folder / kStateSums, sums);
    Json examples = Json::array();
    for (const CalibrationRecord& example : sums.examples)
        examples.push_back({toJson(example.id), example.targets, example.tokens, example.loss});
    Json targets = Json::object();
    for (const auto& [target, of_target] : sums.targets)
        targets[toText(target)] = {of_target.rows, of_target.nonzero_rows};
    const Json state = {{"meta", meta},
                        {"sums_sha256", sha256OfFile(folder / kStateSums)},
                        {"threads", sums.threads},
                        {"targets", targets},
                        {"examples", examples}};
    const Json json = {{"sha256", sha256Hex(state.dump())}, {"state", state}};
    writeFileAtomically(folder / kStateJson, json.dump() + "\n");
}

Json checkCalibrationState(const ContainedFolder& folder) {
    const Json state = readState(folder);
    if (state.value("sums_sha256", Json()) != Json(sha256OfFile(folder.path() / kStateSums)))
        throw Error::fileFormat(folder.nameOf(kStateSums), "", "damaged: its hash does not fit");
    return state.value("meta", Json::object());
}

GramSums readCalibrationState(const ContainedFolder& folder, GramSums empty) {
    const Json state = readState(folder);
    // Its hash fits: ours, or made by somebody who takes the trouble to harm himself.
    try {
        empty.threads = state.value("threads", int64_t{0});
        for (auto& [target, of_target] : empty.targets) {
            const Json& rows = state.at("targets").at(toText(target));
            of_target.rows = rows.at(0).get<int64_t>();
            of_target.nonzero_rows = rows.at(1).get<int64_t>();
        }
        for (const Json& example : state.at("examples")) {
            const Json& id = example.at(0);
            empty.examples.push_back(
                {id.is_string() ? PromptId(id.get<std::string>()) : PromptId(id.get<int64_t>()),
                 example.at(1).get<int64_t>(), example.at(2).get<int64_t>(), example.at(3).get<double>()});
        }
    } catch (const Json::exception&) {
        throw Error::fileFormat(folder.nameOf(kStateJson), "", "is not the state of this calibration");
    }
    readSums(folder, empty);
    return empty;
}

}  // namespace spd
