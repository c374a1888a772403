#pragma once

#include "core/config/experiment.h"
#include "core/generate/sampling/sampling_settings.h"

namespace spd {

/// How a method samples its corpus (paper 4.1; SSD's numbers are those of arXiv 2604.01193, Table 3): psr and
/// spd from the model's own distribution, ssd at temperature 1.6 within the 20 likeliest tokens and 0.8 of
/// the mass. Only spd projects.
SamplingSettings samplingOf(Method method);

}  // namespace spd
