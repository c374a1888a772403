#include "core/train/training_noise.h"

#include <numeric>
#include <utility>

#include "core/base/philox.h"

namespace spd {
namespace {

uint64_t joined(uint32_t low, uint32_t high) {
    return uint64_t{high} << 32 | low;
}

uint32_t lowHalf(uint64_t value) {
    return static_cast<uint32_t>(value);
}

uint32_t highHalf(uint64_t value) {
    return static_cast<uint32_t>(value >> 32);
}

}  // namespace

uint64_t trainingKey(uint64_t seed, TrainingStream stream, uint64_t index) {
    constexpr uint32_t kTraining = 0x7472'6e31;  // apart from what other stages key with the seed
    const PhiloxBlock block =
        philox(seed, {lowHalf(index), highHalf(index), static_cast<uint32_t>(stream), kTraining});
    return joined(block[0], block[1]);
}

std::vector<int64_t> keyedPermutation(uint64_t key, int64_t count) {
    std::vector<int64_t> order(static_cast<size_t>(count));
    std::iota(order.begin(), order.end(), 0);
    for (uint64_t last = order.size(); last > 1; --last) {
        const PhiloxBlock block = philox(key, {lowHalf(last), highHalf(last), 0, 0});
        std::swap(order[last - 1], order[joined(block[0], block[1]) % last]);  // uniform up to last / 2^64
    }
    return order;
}

}  // namespace spd
