#pragma once

#include <c10/util/Exception.h>

#include <string>

#include "core/base/error.h"

namespace spd {

/// Calls `work` and turns LibTorch's exceptions, whose text runs over many lines, into one-line errors.
/// @throws Error out_of_memory (LibTorch's allocator had no memory), internal
template <class Work>
auto translateTorchErrors(const Work& work) {
    try {
        return work();
    } catch (const c10::Error& error) {
        const std::string what = error.what_without_backtrace();
        // The CPU allocator has no exception type of its own.
        if (what.find("DefaultCPUAllocator") != std::string::npos)
            throw Error(ErrorKind::out_of_memory, "out of memory");
        throw Error(ErrorKind::internal, "LibTorch: " + printable(what, 500));
    }
}

}  // namespace spd
