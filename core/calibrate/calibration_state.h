#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/contained_folder.h"
#include "core/calibrate/gram_sums.h"

namespace spd {

inline constexpr const char* kStateJson = "state.json";
inline constexpr const char* kStateSums = "sums.safetensors";

/// Writes the sums of an unfinished calibration: kStateSums, and kStateJson with hashes of both.
/// @param folder  write into an AtomicFolder to publish both at once.   @param meta  what the sums are of.
/// @throws Error io
void writeCalibrationState(const std::filesystem::path& folder, const nlohmann::ordered_json& meta,
                           const GramSums& sums);

/// Compares both files with their hashes and says what the sums are of.
/// @throws Error not_found, file_format (damaged), io
nlohmann::ordered_json checkCalibrationState(const ContainedFolder& folder);

/// The sums, bit for bit, of a folder that was checked.
/// @param empty  sums of the same targets and sizes.
/// @throws Error not_found, file_format (other targets or sizes), io
GramSums readCalibrationState(const ContainedFolder& folder, GramSums empty);

}  // namespace spd
