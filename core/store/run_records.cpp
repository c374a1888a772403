#include "core/store/run_records.h"

namespace spd {

std::string_view name(RunStatus status) {
    switch (status) {
        case RunStatus::running:
            return "RUNNING";
        case RunStatus::finished:
            return "FINISHED";
        case RunStatus::failed:
            return "FAILED";
        case RunStatus::killed:
            break;
    }
    return "KILLED";
}

std::string_view name(StageStatus status) {
    switch (status) {
        case StageStatus::running:
            return "RUNNING";
        case StageStatus::finished:
            return "FINISHED";
        case StageStatus::skipped:
            break;
    }
    return "SKIPPED";
}

}  // namespace spd
