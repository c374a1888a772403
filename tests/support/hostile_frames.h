#pragma once

#include <vector>

#include "tests/support/hostile_safetensors.h"

namespace spd::test {

/// S1 to S8: files that break before a header can be read, other formats among them.
void addHostileFrames(std::vector<SafetensorsCase>& cases);

}  // namespace spd::test
