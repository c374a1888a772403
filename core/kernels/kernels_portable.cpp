#include "core/kernels/kernel_body.h"

namespace spd {

const KernelTable& portableKernels();

const KernelTable& portableKernels() {
    static constexpr KernelTable table = makeTable(Isa::portable);
    return table;
}

}  // namespace spd
