#pragma once

#include <vector>

#include "views/shared/form/field.h"

namespace spd {

/// How a corpus is made: psr (the model as it is), ssd (hot and truncated), spd (under the projection).
inline constexpr const char* kCorpusMethods[] = {"spd", "psr", "ssd"};

/// The settings of job `generate`; defaults are the method's (paper 4.1; SSD: arXiv 2604.01193, Table 3).
std::vector<Field> generationFields(const std::string& method);

}  // namespace spd
