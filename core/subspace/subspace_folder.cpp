#include "core/subspace/subspace_folder.h"

#include "core/base/contained_folder.h"
#include "core/base/files.h"
#include "core/base/sha256.h"
#include "core/base/strict_json.h"
#include "core/subspace/files/subspace_json.h"
#include "core/subspace/files/subspace_tensors.h"

namespace spd {
namespace {

/// All layers of the largest models with many examples stay far below.
constexpr JsonLimits json_limits = {.max_bytes = size_t{256} << 20, .max_depth = 16};

Subspace readJson(const ContainedFolder& files) {
    const std::string json = files.readFile(kSubspaceJson, json_limits.max_bytes);
    return parseSubspaceJson(json, files.nameOf(kSubspaceJson), json_limits);
}

}  // namespace

void writeSubspaceFiles(const std::filesystem::path& folder, const Subspace& subspace) {
    writeSubspaceTensors(folder / kSubspaceTensors, subspace);
    writeFileAtomically(folder / kSubspaceJson, subspaceJson(subspace));
}

Subspace readSubspace(const std::filesystem::path& folder) {
    const ContainedFolder files = ContainedFolder::open(folder);
    Subspace subspace = readJson(files);
    readSubspaceTensors(files, kSubspaceTensors, subspace);
    return subspace;
}

Subspace readSpectra(const std::filesystem::path& folder) {
    const ContainedFolder files = ContainedFolder::open(folder);
    Subspace subspace = readJson(files);
    readSingularValues(files, kSubspaceTensors, subspace);
    return subspace;
}

void readVectors(const std::filesystem::path& folder, const KvTarget& target, Subspace& spectra) {
    readSingularVectors(ContainedFolder::open(folder), kSubspaceTensors, target, spectra);
}

std::string subspaceSha256(const std::filesystem::path& folder) {
    std::string digests;
    for (const char* name : {kSubspaceJson, kSubspaceTensors})
        digests += sha256OfFile(folder / name);
    return sha256Hex(digests);
}

}  // namespace spd
