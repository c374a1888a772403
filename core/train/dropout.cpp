#include "core/train/dropout.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/philox.h"

namespace spd {

void dropoutFactors(const DropoutNoise& noise, uint32_t position, std::span<float> factors) {
    constexpr size_t kBlock = 256;  // elements drawn at once
    const auto kept = static_cast<float>(1 / (1 - noise.rate));
    // Dropped are the words below it: exact to 2^-32.
    const auto threshold = static_cast<uint32_t>(std::min(std::round(noise.rate * 0x1p32), 0x1p32 - 1));
    std::array<uint32_t, kBlock> words;
    for (size_t begin = 0; begin < factors.size(); begin += kBlock) {
        philoxFill(noise.key, {noise.module, noise.sequence, position, static_cast<uint32_t>(begin / 4)},
                   words);
        const size_t count = std::min(kBlock, factors.size() - begin);
        std::transform(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count),
                       factors.begin() + static_cast<std::ptrdiff_t>(begin),
                       [&](uint32_t word) { return word < threshold ? 0.0F : kept; });
    }
}

}  // namespace spd
