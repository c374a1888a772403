#pragma once

#include <vector>

#include "views/shared/form/field.h"

namespace spd {

/// The settings of job `train` as the form shows them; defaults are those of `spd train`.
std::vector<Field> trainingFields();

}  // namespace spd
