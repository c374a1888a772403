#include "core/experiment/finished_stage.h"

#include <fmt/format.h>

#include <system_error>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/base/strict_json.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

Json toJson(const FinishedStage& record) {
    Json outputs = Json::array();
    for (const StageOutput& output : record.outputs)
        outputs.push_back({{"path", output.path}, {"bytes", output.bytes}, {"sha256", output.sha256}});
    return {{"format_version", 1},      {"stage", record.stage}, {"inputs_sha256", record.inputsSha256()},
            {"inputs", record.inputs},  {"outputs", outputs},    {"seconds", record.seconds},
            {"summary", record.summary}};
}

/// Our own file, but a user may have edited it: what does not fit is no record.
std::optional<FinishedStage> parseRecord(const std::string& text, const std::string& file) {
    try {
        const Json json = parseStrictJson(text, file, {});
        FinishedStage record;
        record.stage = json.at("stage").get<std::string>();
        record.inputs = json.at("inputs");
        record.seconds = json.at("seconds").get<double>();
        record.summary = json.at("summary");
        for (const Json& output : json.at("outputs"))
            record.outputs.push_back({output.at("path").get<std::string>(), output.at("bytes").get<int64_t>(),
                                      output.at("sha256").get<std::string>()});
        if (json.at("inputs_sha256") != record.inputsSha256())
            return std::nullopt;
        return record;
    } catch (const Json::exception&) {
        return std::nullopt;
    } catch (const Error&) {
        return std::nullopt;
    }
}

bool isUnchanged(const StageOutput& output, const std::filesystem::path& folder) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(folder / output.path, error);
    if (error || static_cast<int64_t>(bytes) != output.bytes)
        return false;
    return sha256OfFile(folder / output.path) == output.sha256;
}

}  // namespace

std::string FinishedStage::inputsSha256() const {
    return sha256Hex(inputs.dump());
}

const std::string& FinishedStage::sha256Of(const std::string& file_name) const {
    for (const StageOutput& output : outputs)
        if (std::filesystem::path(output.path).filename() == file_name)
            return output.sha256;
    throw Error(ErrorKind::internal, fmt::format("stage {} has no output {}", stage, file_name));
}

StageOutput describeOutput(const std::filesystem::path& experiment_folder, const std::string& path) {
    const std::filesystem::path file = experiment_folder / path;
    std::error_code error;
    const auto bytes = std::filesystem::file_size(file, error);
    if (error)
        throw Error(ErrorKind::io, fmt::format("{}: {}", printable(file.native(), 1000), error.message()));
    return {path, static_cast<int64_t>(bytes), sha256OfFile(file)};
}

void writeFinishedStage(const std::filesystem::path& file, const FinishedStage& record) {
    writeFileAtomically(file, toJson(record).dump(2) + "\n");
}

std::optional<FinishedStage> findFinishedStage(const std::filesystem::path& file, const std::string& stage,
                                               const nlohmann::ordered_json& inputs,
                                               const std::filesystem::path& experiment_folder) {
    std::error_code error;
    if (!std::filesystem::exists(file, error))
        return std::nullopt;
    const JsonLimits limits;
    std::optional<FinishedStage> record = parseRecord(readFile(file, limits.max_bytes), file.string());
    if (!record || record->stage != stage || record->inputs != inputs)
        return std::nullopt;
    for (const StageOutput& output : record->outputs)
        if (!isUnchanged(output, experiment_folder))
            return std::nullopt;
    return record;
}

}  // namespace spd
