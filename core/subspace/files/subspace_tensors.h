#pragma once

#include <filesystem>
#include <string>

#include "core/base/contained_folder.h"
#include "core/subspace/subspace.h"

namespace spd {

/// subspace.safetensors: singular values, vectors and Gram matrix of every target, float64.
/// @throws Error io
void writeSubspaceTensors(const std::filesystem::path& path, const Subspace& subspace);

/// Reads them into the spectra that subspace.json announced, checked against each other.
/// @throws Error not_found, file_format, unsupported_model, io, out_of_memory
void readSubspaceTensors(const ContainedFolder& folder, const std::string& name, Subspace& subspace);

/// The singular values alone, checked against the ranks. @throws the same
void readSingularValues(const ContainedFolder& folder, const std::string& name, Subspace& subspace);
/// The vectors of one target. @throws the same
void readSingularVectors(const ContainedFolder& folder, const std::string& name, const KvTarget& target,
                         Subspace& subspace);

}  // namespace spd
