#include "core/model/libtorch_version.h"

#include <torch/version.h>

namespace spd {

std::string libtorchVersion() {
    return TORCH_VERSION;
}

}  // namespace spd
