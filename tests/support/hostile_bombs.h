#pragma once

#include <vector>

#include "tests/support/hostile_safetensors.h"

namespace spd::test {

/// S15 and S19: headers that are to keep a reader busy, by their depth or by what they count.
void addHostileBombs(std::vector<SafetensorsCase>& cases);

}  // namespace spd::test
