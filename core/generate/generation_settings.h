#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/generate/sampling/sampling_settings.h"

namespace spd {

/// How completions are made (paper Eq. 13). Only `batch` may change without changing the text.
struct GenerationSettings {
    int64_t max_new_tokens = 512;   ///< 1 to 2^31 - 1; the EOS counts as one
    std::vector<std::string> stop;  ///< texts that end a completion and are cut off it; none may be empty
    SamplingSettings sampling;
    int batch = 8;       ///< sequences that decode together, >= 1
    uint64_t seed = 42;  ///< run seed of the sampling noise

    /// @throws Error invalid_argument that names the option
    void validate() const;
};

}  // namespace spd
