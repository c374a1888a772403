#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace spd {

/// What this machine has, as the kernel tells it. Nothing is loaded or started to find out.
struct Machine {
    std::string processor;          ///< model name, or the architecture where there is none
    int threads = 1;                ///< processors that this process may run on
    double load = 0;                ///< programs that wanted a processor, mean over the last minute
    int64_t memory_total = 0;       ///< bytes; a control group's limit where that is less
    int64_t memory_available = 0;   ///< bytes that can be had without swapping
    std::string gpu_driver;         ///< version of the NVIDIA driver; empty: none is loaded
    std::vector<std::string> gpus;  ///< model names
};

/// @param root  where /proc and /sys are looked for; tests give a folder of their own.
Machine readMachine(const std::filesystem::path& root = "/");

/// Bytes of memory that this process has now, and the most that it has had; 0 where the system does not say.
struct ProcessMemory {
    int64_t resident = 0;
    int64_t peak = 0;
};
ProcessMemory readProcessMemory();

/// Processor time since the machine was started, of all processors together, in ticks.
struct ProcessorTime {
    int64_t busy = 0;
    int64_t all = 0;
};
ProcessorTime readProcessorTime(const std::filesystem::path& root = "/");

/// Bytes that this user may still write at `path`, or at its nearest ancestor that exists; nothing when
/// that cannot be told.
std::optional<int64_t> freeDiskBytes(const std::filesystem::path& path);

/// Whether generated programs can be run apart from the system.
struct SandboxProbe {
    enum class State { works, no_bubblewrap, blocked };
    State state = State::no_bubblewrap;
    std::string version;  ///< of bubblewrap
    std::string detail;   ///< blocked: what bubblewrap said, one line
};

/// What lets bubblewrap work where the kernel's settings keep user namespaces from ordinary users: a command,
/// or in words. @param root  as in readMachine().
std::string namespaceRemedy(const std::filesystem::path& root = "/");

/// Starts an empty program under bubblewrap with namespaces of its own; at most 5 s.
/// @param program  "bwrap" or another path to it.
SandboxProbe probeSandbox(const std::string& program = "bwrap");

}  // namespace spd
