#include "core/base/machine.h"

#include <sched.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <fstream>

#include "core/base/child_process.h"
#include "core/base/error.h"

namespace spd {
namespace {

namespace fs = std::filesystem;

/// First line of the form "key : value" (blanks around the colon as the kernel likes); empty when there is
/// none.
std::string valueOf(const fs::path& file, std::string_view key) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        if (!line.starts_with(key))
            continue;
        const size_t colon = line.find(':');
        const size_t value = colon == std::string::npos ? colon : line.find_first_not_of(" \t", colon + 1);
        if (value != std::string::npos && line.find_last_not_of(" \t", colon - 1) == key.size() - 1)
            return line.substr(value);
    }
    return {};
}

std::optional<int64_t> leadingNumber(std::string_view text) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc())
        return std::nullopt;
    return number;
}

std::optional<int64_t> numberIn(const fs::path& file) {
    std::string line;
    std::ifstream in(file);
    std::getline(in, line);
    return leadingNumber(line);  // "max" of a control group without a limit is no number
}

int64_t kibibytes(const fs::path& meminfo, std::string_view key) {
    return leadingNumber(valueOf(meminfo, key)).value_or(0) * 1024;
}

/// A container's limit, of control groups v2 or v1, as seen inside it.
void applyGroupLimit(const fs::path& root, Machine& machine) {
    const fs::path v1 = root / "sys/fs/cgroup/memory";
    const fs::path v2 = root / "sys/fs/cgroup";
    for (const auto& [limit_file, usage_file] :
         {std::pair{v2 / "memory.max", v2 / "memory.current"},
          {v1 / "memory.limit_in_bytes", v1 / "memory.usage_in_bytes"}}) {
        const std::optional<int64_t> limit = numberIn(limit_file);
        if (!limit || *limit >= machine.memory_total)
            continue;
        machine.memory_total = *limit;
        const int64_t left = std::max<int64_t>(0, *limit - numberIn(usage_file).value_or(0));
        machine.memory_available = std::min(machine.memory_available, left);
    }
}

void readGpus(const fs::path& root, Machine& machine) {
    const fs::path driver = root / "proc/driver/nvidia";
    // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue ..."; open modules say
    // "... Open Kernel Module for x86_64  550.54.15  Release Build ...": the version is the first word that
    // is one.
    const std::string line = valueOf(driver / "version", "NVRM version");
    for (size_t start = 0; start < line.size() && machine.gpu_driver.empty();) {
        const size_t end = std::min(line.find(' ', start), line.size());
        const std::string word = line.substr(start, end - start);
        if (!word.empty() && word.find_first_not_of("0123456789.") == std::string::npos &&
            word.find('.') != std::string::npos)
            machine.gpu_driver = word;
        start = end + 1;
    }
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(driver / "gpus", ignored))
        if (const std::string model = valueOf(entry.path() / "information", "Model"); !model.empty())
            machine.gpus.push_back(model);
    std::sort(machine.gpus.begin(), machine.gpus.end());
}

}  // namespace

Machine readMachine(const fs::path& root) {
    Machine machine;
    machine.processor = valueOf(root / "proc/cpuinfo", "model name");
    if (utsname names; machine.processor.empty() && uname(&names) == 0)
        machine.processor = names.machine;
    cpu_set_t processors;
    if (sched_getaffinity(0, sizeof processors, &processors) == 0)
        machine.threads = CPU_COUNT(&processors);
    std::ifstream(root / "proc/loadavg") >> machine.load;
    machine.memory_total = kibibytes(root / "proc/meminfo", "MemTotal");
    machine.memory_available = kibibytes(root / "proc/meminfo", "MemAvailable");
    applyGroupLimit(root, machine);
    readGpus(root, machine);
    return machine;
}

ProcessMemory readProcessMemory() {
    const fs::path status = "/proc/self/status";
    return {kibibytes(status, "VmRSS"), kibibytes(status, "VmHWM")};
}

ProcessorTime readProcessorTime(const fs::path& root) {
    std::ifstream in(root / "proc/stat");  // "cpu  user nice system idle iowait irq softirq steal guest ..."
    std::string word;
    in >> word;
    ProcessorTime time;
    constexpr int kCounted = 8;  // guest time is in user time already
    for (int column = 0; column < kCounted; ++column) {
        int64_t ticks = 0;
        if (!(in >> ticks))
            break;
        time.all += ticks;
        if (column != 3 && column != 4)  // idle, waiting for a disk
            time.busy += ticks;
    }
    return time;
}

std::optional<int64_t> freeDiskBytes(const fs::path& path) {
    std::error_code error;
    fs::path folder = fs::absolute(path, error);
    while (!fs::exists(folder, error) && folder.has_relative_path())
        folder = folder.parent_path();
    struct statvfs disk;
    if (statvfs(folder.c_str(), &disk) != 0)
        return std::nullopt;
    return static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
}

std::string namespaceRemedy(const fs::path& root) {
    const fs::path settings = root / "proc/sys";
    if (numberIn(settings / "kernel/apparmor_restrict_unprivileged_userns") == 1)  // Ubuntu 24.04
        return "AppArmor restricts them; as root: apt-get install apparmor-profiles && cp "
               "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && apparmor_parser "
               "-r "
               "/etc/apparmor.d/bwrap-userns-restrict";
    if (numberIn(settings / "kernel/unprivileged_userns_clone") == 0)
        return "as root: sysctl -w kernel.unprivileged_userns_clone=1";
    if (numberIn(settings / "user/max_user_namespaces") == 0)
        return "as root: sysctl -w user.max_user_namespaces=10000";
    return "in a container, start it with user namespaces allowed";
}

SandboxProbe probeSandbox(const std::string& program) {
    using namespace std::chrono_literals;
    SandboxProbe probe;
    const ChildResult version = runChild({program, "--version"}, 5s);
    if (!version.started || version.exit_code != 0)
        return probe;
    probe.version = version.output.substr(version.output.find(' ') + 1);
    probe.version.erase(std::min(probe.version.find('\n'), probe.version.size()));
    const ChildResult run = runChild({program, "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/",
                                      "--proc", "/proc", "--dev", "/dev", "true"},
                                     5s);
    probe.state =
        run.exit_code == 0 && !run.timed_out ? SandboxProbe::State::works : SandboxProbe::State::blocked;
    if (probe.state == SandboxProbe::State::blocked)
        probe.detail =
            run.timed_out ? "no answer in 5 s" : printable(run.output.substr(0, run.output.find('\n')));
    return probe;
}

}  // namespace spd
