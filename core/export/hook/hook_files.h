#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/subspace/projection.h"

namespace spd {

// The two files of an exported hook: FILE.py, and STEM-XXXXXXXXXXXX.safetensors with its maps beside it.

/// M of each target, "11.k" and so on: [d, d], row-major.
using HookMaps = std::map<std::string, std::vector<float>>;

HookMaps hookMapsOf(const Projection& projection);

/// Where the maps of `out` lie; the name depends on their values.
std::filesystem::path hookMatrices(const std::filesystem::path& out, const HookMaps& maps);

/// @throws Error io
void writeHookMaps(const std::filesystem::path& path, const HookMaps& maps);

/// The Python text; `matrices` is there already.
std::string hookText(const std::filesystem::path& out, const std::filesystem::path& matrices,
                     const Projection& projection, const Subspace& subspace);

/// The projection that a hook of this text in `folder` applies: site, positions and the file of its maps as
/// the text names them, each map as the float32 numbers that the file holds, applied to the activations.
/// @throws Error internal (no text of ours, maps of another hash or shape); as SafetensorsFile::open()
Projection readHook(const std::string& text, const std::filesystem::path& folder);

/// Removes the maps of the hook that `out` has replaced, unless the new one names the same.
/// @param old_text  what `out` held; empty: nothing   @param keep  a file name
void removeOldMatrices(const std::filesystem::path& out, const std::string& old_text,
                       const std::string& keep);

}  // namespace spd
