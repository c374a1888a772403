#include "core/base/philox.h"

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace spd {

namespace {

constexpr uint64_t kMultiplier0 = 0xD2511F53;
constexpr uint64_t kMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kWeyl0 = 0x9E3779B9;
constexpr uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;
/// Counters computed side by side. GCC unrolls a loop over 16 or fewer completely before it looks for
/// vectors, and then finds none.
constexpr size_t kWidth = 64;

/// One word of kWidth counters: the compiler turns loops over it into vector instructions.
using Lanes = std::array<uint32_t, kWidth>;

/// Ten rounds on lanes.size() counters, word by word.
template <class Words>
inline void mix(uint64_t key, Words& w0, Words& w1, Words& w2, Words& w3) {
    auto key0 = static_cast<uint32_t>(key);
    auto key1 = static_cast<uint32_t>(key >> 32);
    for (int round = 0; round < kRounds; ++round) {
        for (size_t i = 0; i < w0.size(); ++i) {
            const uint64_t product0 = kMultiplier0 * w0[i];
            const uint64_t product1 = kMultiplier1 * w2[i];
            w0[i] = static_cast<uint32_t>(product1 >> 32) ^ w1[i] ^ key0;
            w2[i] = static_cast<uint32_t>(product0 >> 32) ^ w3[i] ^ key1;
            w1[i] = static_cast<uint32_t>(product1);
            w3[i] = static_cast<uint32_t>(product0);
        }
        key0 += kWeyl0;
        key1 += kWeyl1;
    }
}

}  // namespace

PhiloxBlock philox(uint64_t key, const PhiloxCounter& counter) {
    std::array<uint32_t, 1> w0 = {counter[0]}, w1 = {counter[1]}, w2 = {counter[2]}, w3 = {counter[3]};
    mix(key, w0, w1, w2, w3);
    return {w0[0], w1[0], w2[0], w3[0]};
}

void philoxFill(uint64_t key, const PhiloxCounter& first, std::span<uint32_t> out) {
    assert(out.size() % 4 == 0);
    const size_t blocks = out.size() / 4;
    for (size_t begin = 0; begin < blocks; begin += kWidth) {
        Lanes w0, w1, w2, w3;
        for (size_t i = 0; i < kWidth; ++i) {
            w0[i] = first[0];
            w1[i] = first[1];
            w2[i] = first[2];
            w3[i] = first[3] + static_cast<uint32_t>(begin + i);
        }
        mix(key, w0, w1, w2, w3);
        std::array<uint32_t, 4 * kWidth> words;
        for (size_t i = 0; i < kWidth; ++i) {
            words[4 * i] = w0[i];
            words[4 * i + 1] = w1[i];
            words[4 * i + 2] = w2[i];
            words[4 * i + 3] = w3[i];
        }
        const size_t count = 4 * std::min(kWidth, blocks - begin);
        std::copy_n(words.begin(), count, out.begin() + static_cast<std::ptrdiff_t>(4 * begin));
    }
}

}  // namespace spd
