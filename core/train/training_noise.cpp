#include "core/train/training_noise.h"

#include "core/base/philox.h"
#include "core/data/permutation.h"

namespace spd {
namespace {

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
    return uint64_t{block[1]} << 32 | block[0];
}

std::vector<int64_t> epochOrder(uint64_t seed, int64_t epoch, int64_t examples) {
    return permutation(examples, trainingKey(seed, TrainingStream::order, static_cast<uint64_t>(epoch)), 0);
}

}  // namespace spd
