#include "core/export/projection_hook.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <vector>

#include "core/base/contained_folder.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/io/safetensors/file.h"
#include "core/io/safetensors/writer.h"
#include "core/subspace/subspace_folder.h"
#include "projection_hook_text.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

constexpr size_t kHashLetters = 12;
constexpr size_t most_hook_bytes = size_t{1} << 20;
constexpr std::string_view sign = "as SPD Workbench does";  // by which a file of ours is known

using Maps = std::map<std::string, std::vector<float>>;  // [d, d], row-major

Maps mapsOf(const Projection& projection) {
    Maps maps;
    for (const auto& [target, map] : projection.maps) {
        std::vector<float>& values = maps[toText(target)];
        for (Eigen::Index row = 0; row < map.map.rows(); ++row)
            for (Eigen::Index column = 0; column < map.map.cols(); ++column)
                values.push_back(static_cast<float>(map.map(row, column)));
    }
    return maps;
}

std::string digestOf(const Maps& maps) {
    std::string digests;
    for (const auto& [target, values] : maps)
        digests +=
            target + sha256Hex({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
    return sha256Hex(digests);
}

void writeMaps(const fs::path& path, const Maps& maps, int64_t width) {
    std::vector<TensorInfo> infos;
    for (const auto& entry : maps)
        infos.push_back({entry.first, ElementType::f32, {width, width}});
    SafetensorsWriter writer(path, std::move(infos), {{"format", "pt"}});
    for (const TensorInfo& info : writer.order())
        writer.append(maps.at(info.name).data(), maps.at(info.name).size() * sizeof(float));
    writer.commit();
}

/// @throws Error internal
void checkMaps(const fs::path& path, const Maps& maps) {
    const SafetensorsFile file =
        SafetensorsFile::open(ContainedFolder::open(path.parent_path()), path.filename());
    size_t same = 0;
    for (const TensorEntry& tensor : file.header().tensors) {
        std::vector<float> read(static_cast<size_t>(tensor.elements()));
        file.read(tensor, 0, tensor.bytes(), read.data());
        const auto written = maps.find(tensor.name);
        if (written != maps.end() && written->second == read)
            ++same;
    }
    if (same != maps.size() || file.header().tensors.size() != maps.size())
        throw Error(ErrorKind::internal, path.native() + ": was written and read again, and differs");
}

void replaceAll(std::string& text, std::string_view from, const std::string& to) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

/// Text for a place inside a Python string or comment.
std::string quotable(const std::string& text) {
    std::string plain = printable(text, 4000);
    std::replace_if(
        plain.begin(), plain.end(), [](char c) { return c == '"' || c == '\\'; }, '\'');
    return plain;
}

std::string hookText(const fs::path& out, const fs::path& matrices, const Projection& projection,
                     const Subspace& subspace) {
    const std::string revision =
        subspace.model_revision.empty() ? "" : " at " + quotable(subspace.model_revision);
    std::string text = kProjectionHook;
    replaceAll(text, "@DESCRIPTION@", quotable(projection.record.dump()));
    replaceAll(text, "@MODULE@", quotable(out.stem()));
    replaceAll(text, "@MODEL@", quotable(subspace.model_id) + revision);
    replaceAll(text, "@MATRICES@", quotable(matrices.filename()));
    replaceAll(text, "@SITE@", std::string(name(projection.site)));
    replaceAll(text, "@WHEN@", projection.record.at("when").get<std::string>());
    replaceAll(text, "@SHA256@", sha256OfFile(matrices));
    return text;
}

/// STEM-XXXXXXXXXXXX.safetensors of an export of this name.
bool isMatrices(const std::string& file, const std::string& stem) {
    const std::string end = ".safetensors";
    const std::string start = stem + "-";
    if (file.size() != start.size() + kHashLetters + end.size() || !file.starts_with(start) ||
        !file.ends_with(end))
        return false;
    return file.find_first_not_of("0123456789abcdef", start.size()) == start.size() + kHashLetters;
}

void removeOldMatrices(const fs::path& out, const std::string& keep) {
    std::error_code error;
    const fs::path folder = out.has_parent_path() ? out.parent_path() : ".";
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        const std::string file = entry.path().filename();
        if (file != keep && isMatrices(file, out.stem()))
            ::unlink(entry.path().c_str());
    }
}

/// @throws Error invalid_argument
void checkOut(const HookExportRequest& request) {
    const std::string shown = printable(request.out.native(), 1000);
    const std::string stem = request.out.stem();
    const bool plain = printable(stem) == stem && stem.find_first_of("\"'\\") == std::string::npos;
    if (request.out.extension() != ".py" || stem.empty() || !plain)
        throw Error(ErrorKind::invalid_argument, "--out " + shown + ": must be a file name that ends in .py");
    std::error_code error;
    if (!fs::exists(request.out, error))
        return;
    if (!request.overwrite)
        throw Error(ErrorKind::invalid_argument, shown + ": exists; --overwrite replaces it");
    if (readFile(request.out, most_hook_bytes).find(sign) == std::string::npos)
        throw Error(ErrorKind::invalid_argument, shown + ": is no exported hook, and is not replaced");
}

}  // namespace

HookExportSummary exportHook(const HookExportRequest& request) {
    checkOut(request);
    const InterventionRequest& intervention = request.intervention;
    const Subspace subspace = readSubspace(intervention.subspace);
    const Projection projection =
        selectProjection(subspace, subspaceSha256(intervention.subspace), intervention.projection);
    for (const std::string& warning : projection.warnings)
        if (request.on_warning)
            request.on_warning(warning);
    const Maps maps = mapsOf(projection);
    const fs::path matrices =
        request.out.parent_path() /
        fmt::format("{}-{}.safetensors", request.out.stem().native(), digestOf(maps).substr(0, kHashLetters));
    writeMaps(matrices, maps, projection.maps.begin()->second.map.rows());
    checkMaps(matrices, maps);
    const std::string text = hookText(request.out, matrices, projection, subspace);
    writeFileAtomically(request.out, text);
    if (readFile(request.out, most_hook_bytes) != text)
        throw Error(ErrorKind::internal, request.out.native() + ": was written and read again, and differs");
    removeOldMatrices(request.out, matrices.filename());
    return {matrices, static_cast<int64_t>(maps.size())};
}

}  // namespace spd
