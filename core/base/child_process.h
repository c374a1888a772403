#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace spd {

/// How a child process ended.
struct ChildResult {
    bool started = false;    ///< false: the program was not found or may not be run
    bool timed_out = false;  ///< killed after the limit
    int exit_code = -1;      ///< 128 + N when it was ended by signal N
    std::string output;      ///< standard output and standard error together, at most 64 KiB
};

/// Runs a short program (argv[0] is searched in PATH) without standard input and waits for it. Its
/// descriptors are 0 to 2 only. Thread-safe.
ChildResult runChild(const std::vector<std::string>& argv, std::chrono::milliseconds limit);

}  // namespace spd
