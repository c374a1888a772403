// spd doctor: what this machine will do fast, what is missing and how to get it.

#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "app/cli/commands.h"
#include "core/base/machine.h"
#include "core/io/hub_cache.h"
#include "core/kernels/measured_rates.h"
#include "core/model/libtorch_version.h"

namespace spd::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::string_view kSampleModel = "smollm2-135m-instruct";

struct Missing {
    std::string what;
    std::string remedy;
};

struct Diagnosis {
    Machine machine;
    int threads = 1;  ///< --threads, or all
    Isa isa = Isa::portable;
    MeasuredRates rates;
    SandboxProbe sandbox;
    fs::path workspace;
    std::optional<int64_t> free_disk;
    std::vector<std::string> models;  ///< names under the workspace's models/
    fs::path hf_cache;
    int64_t hf_models = 0;
    std::vector<Missing> missing;
};

double gibibytes(int64_t bytes) {
    return static_cast<double>(bytes) / (1 << 30);
}

/// Folders under `folder` that hold a config.json; sorted. An unreadable folder counts as empty.
std::vector<std::string> modelsIn(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (const std::string name = entry->path().filename(); !name.starts_with('.'))
            if (std::error_code ignored; fs::exists(entry->path() / "config.json", ignored))
                names.push_back(printable(name));
    std::sort(names.begin(), names.end());
    return names;
}

int64_t modelsInHuggingFaceCache(const fs::path& cache) {
    int64_t count = 0;
    std::error_code error;
    for (fs::directory_iterator entry(cache, error), end; !error && entry != end; entry.increment(error))
        count += entry->path().filename().string().starts_with("models--");
    return count;
}

std::vector<Missing> whatIsMissing(const Diagnosis& found) {
    std::vector<Missing> missing;
    if (std::find(found.models.begin(), found.models.end(), kSampleModel) == found.models.end())
        missing.push_back({"the sample model", "packaging/start.sh makes it"});
    if (found.sandbox.state == SandboxProbe::State::no_bubblewrap)
        missing.push_back({"the sandbox that scores generated programs", "apt-get install bubblewrap"});
    if (found.sandbox.state == SandboxProbe::State::blocked)
        missing.push_back({"user namespaces for the sandbox", namespaceRemedy()});
    if (found.isa == Isa::portable)
        missing.push_back({"AVX2", "none: this processor runs the portable kernels, several times slower"});
    if (found.free_disk.value_or(0) < int64_t{2} << 30)
        missing.push_back({"room for models and runs (2 GiB at least)",
                           "free some, or name another folder by --workspace"});
    return missing;
}

Diagnosis examine(const CommonOptions& options) {
    Diagnosis found;
    found.machine = readMachine();
    found.threads = chosenThreads(options);
    found.isa = detectIsa();
    ThreadPool pool(found.threads);
    found.rates = measureRates(pool, kernelTable(found.isa));
    found.sandbox = probeSandbox();
    found.workspace = options.workspace;
    found.free_disk = freeDiskBytes(options.workspace);
    found.models = modelsIn(options.workspace / "models");
    found.hf_cache = hubCacheFolder();
    found.hf_models = modelsInHuggingFaceCache(found.hf_cache);
    found.missing = whatIsMissing(found);
    return found;
}

std::string_view name(SandboxProbe::State state) {
    switch (state) {
        case SandboxProbe::State::works:
            return "works";
        case SandboxProbe::State::blocked:
            return "blocked";
        case SandboxProbe::State::no_bubblewrap:
            break;
    }
    return "missing";
}

ordered_json toJson(const Diagnosis& found) {
    ordered_json missing = ordered_json::array();
    for (const Missing& item : found.missing)
        missing.push_back({{"what", item.what}, {"remedy", item.remedy}});
    return {
        {"spd", SPD_VERSION},
        {"libtorch", libtorchVersion()},
        {"processor",
         {{"model", found.machine.processor},
          {"threads", found.threads},
          {"kernels", spd::name(found.isa)},
          {"load", found.machine.load}}},
        {"memory",
         {{"total_bytes", found.machine.memory_total}, {"available_bytes", found.machine.memory_available}}},
        {"gpu", {{"driver", found.machine.gpu_driver}, {"models", found.machine.gpus}, {"used", false}}},
        {"rates",
         {{"float32_gflops", found.rates.float32_gflops},
          {"bfloat16_gflops", found.rates.bfloat16_gflops},
          {"weights_gb_per_s", found.rates.weights_gb_per_s}}},
        {"sandbox",
         {{"state", name(found.sandbox.state)},
          {"bubblewrap", found.sandbox.version},
          {"detail", found.sandbox.detail}}},
        {"workspace",
         {{"folder", found.workspace.string()},
          {"free_bytes", found.free_disk ? ordered_json(*found.free_disk) : ordered_json()},
          {"models", found.models}}},
        {"hf_cache", {{"folder", found.hf_cache.string()}, {"models", found.hf_models}}},
        {"missing", missing}};
}

/// What the measured rates mean for Qwen2.5-0.5B in bfloat16: every token reads 0.988 GB of weights and
/// multiplies each once.
std::string outlook(const MeasuredRates& rates) {
    const double alone = rates.weights_gb_per_s / 0.988;
    const double eight = std::min(8 * alone, rates.bfloat16_gflops / 0.988);
    return fmt::format(
        "a 0.5B model in bfloat16 decodes at most {:.0f} tokens/s alone, {:.0f} in a batch of 8", alone,
        eight);
}

std::string describeGpu(const Machine& machine) {
    if (machine.gpu_driver.empty())
        return "no NVIDIA driver is loaded; this version computes on the CPU only";
    return fmt::format("{} (driver {}), not used: this version computes on the CPU only",
                       machine.gpus.empty() ? "NVIDIA" : fmt::format("{}", fmt::join(machine.gpus, ", ")),
                       machine.gpu_driver);
}

std::string describeSandbox(const SandboxProbe& sandbox) {
    if (sandbox.state == SandboxProbe::State::works)
        return "bubblewrap " + sandbox.version + " works";
    if (sandbox.state == SandboxProbe::State::no_bubblewrap)
        return "no bubblewrap: programs that a model wrote cannot be scored";
    return "bubblewrap " + sandbox.version + " is blocked: " + sandbox.detail;
}

void print(const Diagnosis& found) {
    const auto line = [](std::string_view subject, const std::string& text) {
        fmt::print("{:<11}{}\n", subject, text);
    };
    line("spd", fmt::format("{}, LibTorch {}", SPD_VERSION, libtorchVersion()));
    line("processor",
         fmt::format("{}, {} {}, {} kernels; default type to generate in: {}", found.machine.processor,
                     found.threads, found.threads == 1 ? "thread" : "threads", spd::name(found.isa),
                     found.isa == Isa::avx512_bf16 ? "bfloat16" : "float32"));
    line("memory", fmt::format("{:.1f} GiB, {:.1f} GiB of it free", gibibytes(found.machine.memory_total),
                               gibibytes(found.machine.memory_available)));
    line("speed",
         fmt::format("float32 {:.0f} GFLOP/s, bfloat16 {:.0f} GFLOP/s, weights read at {:.0f} GB/s",
                     found.rates.float32_gflops, found.rates.bfloat16_gflops, found.rates.weights_gb_per_s));
    line("", outlook(found.rates));
    if (found.machine.load > 0.5 * found.machine.threads)
        line("", fmt::format("other programs are running (load {:.1f}); an idle machine shows more",
                             found.machine.load));
    line("GPU", describeGpu(found.machine));
    line("sandbox", describeSandbox(found.sandbox));
    line("workspace",
         fmt::format("{}, {}", found.workspace.string(),
                     found.free_disk ? fmt::format("{:.0f} GiB free", gibibytes(*found.free_disk))
                                     : "free space unknown"));
    line("models",
         found.models.empty() ? "none in the workspace" : fmt::format("{}", fmt::join(found.models, ", ")));
    line("HF cache", fmt::format("{}, {} models", found.hf_cache.string(), found.hf_models));
    for (const Missing& item : found.missing)
        line("missing", item.what + " (" + item.remedy + ")");
}

}  // namespace

void addDoctor(CLI::App& app, CommonOptions& options, Command& chosen) {
    CLI::App* command =
        app.add_subcommand("doctor", "What this machine can do, what is missing and how to get it");
    addCommonOptions(*command, options);
    command->callback([&chosen] {
        chosen = [](const CommonOptions& common, const JobContext&) {
            const Diagnosis found = examine(common);
            if (common.json)
                std::cout << toJson(found).dump(2, ' ', false, ordered_json::error_handler_t::replace)
                          << "\n";
            else
                print(found);
            return 0;
        };
    });
}

}  // namespace spd::cli
