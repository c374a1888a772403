#include "core/kernels/kernel_table.h"

namespace spd {

const KernelTable& portableKernels();
#if defined(__x86_64__)
const KernelTable& avx2Kernels();
const KernelTable& avx512Kernels();
#endif

Isa detectIsa() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return Isa::avx512_bf16;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"))
        return Isa::avx2;
#endif
    return Isa::portable;
}

const KernelTable& kernelTable(Isa isa) {
#if defined(__x86_64__)
    if (isa == Isa::avx512_bf16)
        return avx512Kernels();
    if (isa == Isa::avx2)
        return avx2Kernels();
#endif
    return portableKernels();
}

}  // namespace spd
