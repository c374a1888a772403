#pragma once

#include <filesystem>
#include <string>

#include "core/store/run_records.h"

namespace spd::store {

/// See RunStore::query(). A handle of its own that is opened read-only, an authorizer that lets nothing but
/// reading through, and limits on time and size.
QueryResult runQuery(const std::filesystem::path& file, const std::string& sql, const QueryLimits& limits);

}  // namespace spd::store
