#pragma once

#include <string>

#include "core/base/strict_json.h"
#include "core/subspace/subspace.h"

namespace spd {

/// subspace.json: what Subspace holds besides the matrices.
std::string subspaceJson(const Subspace& subspace);

/// Reads it back, checked; the spectra have their ranks and split_half_overlap (whose length is their width)
/// and no matrices yet. Fields it does not know are left alone.
/// @throws Error file_format
Subspace parseSubspaceJson(const std::string& text, const std::string& file, const JsonLimits& limits);

}  // namespace spd
