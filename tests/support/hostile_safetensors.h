#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace spd::test {

/// Eight little-endian bytes.
std::string littleEndian(uint64_t value);

/// A safetensors file: length, header, data.
std::string safetensorsFile(const std::string& header, const std::string& data = "");

/// "NAME":{"dtype":...,"shape":...,"data_offsets":...}; the parts are JSON text as given.
std::string tensorJson(const std::string& name, const std::string& dtype, const std::string& shape,
                       const std::string& offsets);

/// A file that a reader must treat in one certain way.
struct SafetensorsCase {
    std::string rule;                    ///< "S6": the line of hardening.md 3.1
    std::string what;                    ///< what is wrong with it
    std::function<std::string()> bytes;  ///< the file
    ErrorKind kind = ErrorKind::file_format;
    std::string says;         ///< part of the refusal's line; empty for files that must be accepted
    uint64_t file_bytes = 0;  ///< the file is extended to this size by a hole; 0: it is not
};

/// S1 to S42 without S39, which is no refusal.
std::vector<SafetensorsCase> safetensorsToRefuse();
std::vector<SafetensorsCase> safetensorsToAccept();

}  // namespace spd::test
