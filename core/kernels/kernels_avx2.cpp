#include "core/kernels/kernel_body.h"

namespace spd {

const KernelTable& avx2Kernels();

const KernelTable& avx2Kernels() {
    static constexpr KernelTable table = makeTable(Isa::avx2);
    return table;
}

}  // namespace spd
