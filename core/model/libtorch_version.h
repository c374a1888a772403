#pragma once

#include <string>

namespace spd {

/// Version of the LibTorch that this program was built with: "2.15.0".
std::string libtorchVersion();

}  // namespace spd
