#pragma once

#include <ctime>
#include <functional>
#include <optional>
#include <string>

#include "core/base/error.h"

namespace spd::test {

#ifdef __SANITIZE_ADDRESS__
inline constexpr double most_seconds = 10;  // the sanitizers cost about that factor
#else
inline constexpr double most_seconds = 1;
#endif

/// How a call refused its input.
struct Refusal {
    ErrorKind kind = ErrorKind::internal;
    std::string message;
    size_t details = 0;
    double seconds = 0;  ///< of this thread's processor time: other tests may run beside

    bool isOneLine() const {
        return !message.empty() && message.find_first_of("\n\r\t") == std::string::npos;
    }
    bool says(const std::string& text) const { return message.find(text) != std::string::npos; }
};

inline double processorSeconds() {
    timespec now = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Runs `action`; nullopt when it did not throw an spd::Error.
inline std::optional<Refusal> refusalOf(const std::function<void()>& action) {
    const double start = processorSeconds();
    try {
        action();
    } catch (const Error& error) {
        return Refusal{error.kind(), error.what(), error.details().size(), processorSeconds() - start};
    }
    return std::nullopt;
}

}  // namespace spd::test
