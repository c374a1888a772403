#include "core/kernels/kernel_body.h"

namespace spd {

const KernelTable& avx512Kernels();

const KernelTable& avx512Kernels() {
    static constexpr KernelTable table = makeTable(Isa::avx512_bf16);
    return table;
}

}  // namespace spd
