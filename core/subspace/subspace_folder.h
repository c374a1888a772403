#pragma once

#include <filesystem>
#include <string>

#include "core/subspace/subspace.h"

namespace spd {

inline constexpr const char* kSubspaceTensors = "subspace.safetensors";
inline constexpr const char* kSubspaceJson = "subspace.json";

/// Writes the two files of a subspace:
///   subspace.safetensors  float64: layers.I.k.singular_values [d], layers.I.k.right_singular_vectors [d, d]
///       (row j = j-th vector), layers.I.k.gram [d, d]; the same for v; per head [Hkv, D], [Hkv, D, D]
///   subspace.json         format_version 1 and everything else of Subspace; per head the ranks are lists of
///       Hkv numbers and split_half_overlap one of Hkv lists
/// Equal values give equal bytes. Vectors past numeric_rank are an arbitrary basis of what is left.
/// @param folder  is there; write into an AtomicFolder to publish both at once.
/// @throws Error io
void writeSubspaceFiles(const std::filesystem::path& folder, const Subspace& subspace);

/// Reads and checks them: every field and shape, finite numbers, singular values that descend, vectors that
/// are orthonormal and belong to the Gram matrix, ranks that fit the singular values.
/// @throws Error not_found (no such folder or file), file_format, unsupported_model (a stored type), io,
/// out_of_memory
Subspace readSubspace(const std::filesystem::path& folder);

/// The same without vectors and Gram matrices, which stay empty: what curves and ranks need, in a fraction of
/// the time. @throws as readSubspace()
Subspace readSpectra(const std::filesystem::path& folder);

/// Fills in right_singular_vectors of one target of what readSpectra() has read of this folder.
/// @throws as readSubspace()
void readVectors(const std::filesystem::path& folder, const KvTarget& target, Subspace& spectra);

/// SHA-256 over both files, lower-case hex: the name under which artifacts record the subspace they used.
/// @throws Error not_found, file_format (no regular files), io
std::string subspaceSha256(const std::filesystem::path& folder);

}  // namespace spd
