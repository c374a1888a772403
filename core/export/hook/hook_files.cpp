#include "core/export/hook/hook_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "core/base/contained_folder.h"
#include "core/base/error.h"
#include "core/base/sha256.h"
#include "core/io/safetensors/file.h"
#include "core/io/safetensors/writer.h"
#include "projection_hook_text.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

constexpr size_t kHashLetters = 12;
constexpr std::string_view kMatricesLine = "\nMATRICES = Path(__file__).with_name(\"";

std::string digestOf(const HookMaps& maps) {
    std::string digests;
    for (const auto& [target, values] : maps)
        digests +=
            target + sha256Hex({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
    return sha256Hex(digests);
}

int64_t widthOf(const std::vector<float>& map) {
    return std::llround(std::sqrt(static_cast<double>(map.size())));
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

/// STEM-XXXXXXXXXXXX.safetensors of an export of this name.
bool isMatrices(const std::string& file, const std::string& stem) {
    const std::string end = ".safetensors";
    const std::string start = stem + "-";
    if (file.size() != start.size() + kHashLetters + end.size() || !file.starts_with(start) ||
        !file.ends_with(end))
        return false;
    return file.find_first_not_of("0123456789abcdef", start.size()) == start.size() + kHashLetters;
}

[[noreturn]] void refuse(const std::string& what) {
    throw Error(ErrorKind::internal, fmt::format("the exported hook was read again, and {}", what));
}

/// What stands between `before`, a line's beginning, and the next quotation mark.
std::string quotedAfter(const std::string& text, std::string_view before) {
    const size_t at = text.find(before);
    const size_t end = at == std::string::npos ? at : text.find('"', at + before.size());
    if (end == std::string::npos)
        refuse(fmt::format("has no {}", before.substr(1)));
    return text.substr(at + before.size(), end - at - before.size());
}

template <class Value>
Value oneOf(const std::string& text, const std::map<std::string, Value>& values) {
    const auto found = values.find(text);
    if (found == values.end())
        refuse(fmt::format("says \"{}\"", printable(text)));
    return found->second;
}

ProjectionMap readMap(const SafetensorsFile& file, const TensorEntry& tensor) {
    std::vector<float> values(static_cast<size_t>(tensor.elements()));
    const int64_t width = widthOf(values);
    if (tensor.type != ElementType::f32 || tensor.shape != std::vector<int64_t>{width, width})
        refuse(tensor.name + " is no float32 [d, d]");
    file.read(tensor, 0, tensor.bytes(), values.data());
    using Map = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    return {{}, Eigen::Map<const Map>(values.data(), width, width).cast<double>()};
}

}  // namespace

HookMaps hookMapsOf(const Projection& projection) {
    HookMaps maps;
    for (const auto& [target, map] : projection.maps) {
        std::vector<float>& values = maps[toText(target)];
        for (Eigen::Index row = 0; row < map.map.rows(); ++row)
            for (Eigen::Index column = 0; column < map.map.cols(); ++column)
                values.push_back(static_cast<float>(map.map(row, column)));
    }
    return maps;
}

fs::path hookMatrices(const fs::path& out, const HookMaps& maps) {
    return out.parent_path() /
           fmt::format("{}-{}.safetensors", out.stem().native(), digestOf(maps).substr(0, kHashLetters));
}

void writeHookMaps(const fs::path& path, const HookMaps& maps) {
    std::vector<TensorInfo> infos;
    for (const auto& [target, values] : maps)
        infos.push_back({target, ElementType::f32, {widthOf(values), widthOf(values)}});
    SafetensorsWriter writer(path, std::move(infos), {{"format", "pt"}});
    for (const TensorInfo& info : writer.order())
        writer.append(maps.at(info.name).data(), maps.at(info.name).size() * sizeof(float));
    writer.commit();
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

Projection readHook(const std::string& text, const fs::path& folder) {
    const std::string name = quotedAfter(text, kMatricesLine);
    if (sha256OfFile(folder / name) != quotedAfter(text, "\nSHA256 = \""))
        refuse("its maps have another hash");
    Projection projection;
    projection.site = oneOf<KvSite>(
        quotedAfter(text, "\nSITE = \""),
        {{"proj", KvSite::proj}, {"post_norm", KvSite::post_norm}, {"post_rope", KvSite::post_rope}});
    projection.when =
        oneOf<ProjectWhen>(quotedAfter(text, "\nWHEN = \""), {{"all", ProjectWhen::all},
                                                              {"decode_only", ProjectWhen::decode_only},
                                                              {"prefill_only", ProjectWhen::prefill_only}});
    projection.apply = ProjectApply::activation;
    const SafetensorsFile file = SafetensorsFile::open(ContainedFolder::open(folder), name);
    for (const TensorEntry& tensor : file.header().tensors) {
        const std::optional<KvTarget> target = parseKvTarget(tensor.name);
        if (!target)
            refuse(fmt::format("has a map \"{}\"", printable(tensor.name)));
        projection.maps.emplace(*target, readMap(file, tensor));
    }
    return projection;
}

void removeOldMatrices(const fs::path& out, const std::string& old_text, const std::string& keep) {
    const size_t at = old_text.find(kMatricesLine);
    if (at == std::string::npos)
        return;
    const size_t start = at + kMatricesLine.size();
    const std::string old = old_text.substr(start, old_text.find('"', start) - start);
    if (old != keep && isMatrices(old, out.stem()))
        ::unlink((out.parent_path() / old).c_str());
}

}  // namespace spd
