#include "core/data/permutation.h"

#include <numeric>
#include <utility>

#include "core/base/philox.h"

namespace spd {
namespace {

uint64_t below(uint64_t end, uint64_t seed, uint32_t purpose) {
    const uint64_t place = end - 1;
    const uint64_t excess = (UINT64_MAX % end + 1) % end;  // 2^64 modulo end
    for (uint32_t attempt = 0;; ++attempt) {
        const PhiloxBlock block = philox(
            seed, {static_cast<uint32_t>(place), static_cast<uint32_t>(place >> 32), attempt, purpose});
        const uint64_t bits = (uint64_t{block[1]} << 32) | block[0];
        if (bits <= UINT64_MAX - excess)
            return bits % end;
    }
}

}  // namespace

std::vector<int64_t> permutation(int64_t n, uint64_t seed, uint32_t purpose) {
    std::vector<int64_t> order(static_cast<size_t>(n));
    std::iota(order.begin(), order.end(), int64_t{0});
    for (size_t i = order.size(); i > 1; --i)
        std::swap(order[i - 1], order[below(i, seed, purpose)]);
    return order;
}

}  // namespace spd
