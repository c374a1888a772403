#include "core/pipeline/other_threads.h"

#include <fmt/format.h>

namespace spd {

std::string otherThreads(const std::string& what, int64_t before, int64_t now) {
    if (before == 0 || before == now)
        return "";
    return fmt::format(
        "warning: the {0} so far were computed on {1} thread{2}, the rest is on {3}: the result may "
        "differ from an unbroken run's in the last digits; --threads {1} keeps the same bytes",
        what, before, before == 1 ? "" : "s", now);
}

}  // namespace spd
