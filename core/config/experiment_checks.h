#pragma once

#include <string>
#include <vector>

#include "core/config/experiment.h"

namespace spd {

/// Two settings that cannot both hold.
struct Contradiction {
    std::string key;   ///< dotted, of the setting that is to blame
    std::string rule;  ///< for the user
};

/// What can be told without a model; layers that a model lacks are refused when it is opened.
std::vector<Contradiction> contradictionsIn(const Experiment& experiment);

}  // namespace spd
