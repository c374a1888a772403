#include <algorithm>
#include <memory>

#include "core/text/unicode/unicode_tables.h"

namespace spd::unicode {
namespace {

std::unique_ptr<std::array<uint8_t, code_point_end>> expandRuns() {
    auto table = std::make_unique<std::array<uint8_t, code_point_end>>();
    for (size_t i = 0; i < class_run_count; ++i) {
        const uint32_t end = i + 1 < class_run_count ? class_runs[i + 1].begin : code_point_end;
        std::fill(table->begin() + class_runs[i].begin, table->begin() + end, class_runs[i].bits);
    }
    return table;
}

}  // namespace

const std::array<uint8_t, code_point_end>& classTable() {
    static const std::unique_ptr<const std::array<uint8_t, code_point_end>> table = expandRuns();
    return *table;
}

}  // namespace spd::unicode
