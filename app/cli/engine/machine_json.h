#pragma once

#include <nlohmann/json.hpp>

#include "core/base/machine.h"

namespace spd::cli {

/// {"processor","threads","load","memory_total","memory_available","gpu_driver","gpus"}
inline nlohmann::ordered_json machineJson(const Machine& machine) {
    return {{"processor", machine.processor},
            {"threads", machine.threads},
            {"load", machine.load},
            {"memory_total", machine.memory_total},
            {"memory_available", machine.memory_available},
            {"gpu_driver", machine.gpu_driver},
            {"gpus", machine.gpus}};
}

}  // namespace spd::cli
