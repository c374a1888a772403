#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "tests/support/planned_adapter.h"

namespace spd::test {

/// An adapter that must be refused.
struct AdapterCase {
    std::string what;
    std::function<void(PlannedAdapter&)> change;
    std::string says;  ///< part of the refusal's line
    ErrorKind kind = ErrorKind::file_format;
    std::function<void(const std::filesystem::path&)> change_folder = {};  ///< after it was written
};

/// Hardening I7, and what peft can do and this program does not.
std::vector<AdapterCase> adaptersToRefuse();

}  // namespace spd::test
