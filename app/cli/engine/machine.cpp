// machine.meter, folder.list.

#include <chrono>
#include <memory>
#include <mutex>

#include "app/cli/engine/engine_messages.h"
#include "app/cli/engine/machine_json.h"
#include "core/io/hub_cache.h"
#include "core/io/listing/folder_list.h"
#include "core/protocol/params.h"

namespace spd::cli {
namespace {

using nlohmann::ordered_json;
using protocol::Params;

/// How busy the processors were between two looks. Several windows look: too soon after the last one, that
/// one's value is told again.
class ProcessorMeter {
public:
    double percent() {
        const Clock::time_point now = Clock::now();
        if (now - looked_ < std::chrono::milliseconds(200))
            return percent_;
        const ProcessorTime time = readProcessorTime();
        const int64_t all = time.all - last_.all;
        if (all > 0)
            percent_ = 100.0 * static_cast<double>(time.busy - last_.busy) / static_cast<double>(all);
        last_ = time;
        looked_ = now;
        return percent_;
    }

private:
    using Clock = std::chrono::steady_clock;
    ProcessorTime last_ = readProcessorTime();
    Clock::time_point looked_ = Clock::now();
    double percent_ = 0;
};

ordered_json meter(const Workplace& workplace, ProcessorMeter& processor, const ordered_json& json) {
    Params(json).refuseOthers();
    ordered_json result = {{"cpu_percent", processor.percent()}};
    result.update(machineJson(readMachine()));
    const ProcessMemory process = readProcessMemory();
    result["process_memory"] = process.resident;
    result["process_memory_peak"] = process.peak;
    result["disk_free"] = nullptr;
    if (const auto disk = freeDiskBytes(workplace.workspace()))
        result["disk_free"] = *disk;
    return result;
}

ordered_json list(const ordered_json& json) {
    Params params(json);
    const std::string path = params.text("path", homeFolder().native());
    const bool hidden = params.flag("hidden", false);
    params.refuseOthers();
    return listFolder(path, hidden);
}

}  // namespace

void addMachineMessages(engine::Server& server, Workplace& workplace) {
    auto processor = std::make_shared<ProcessorMeter>();  // the query thread's
    server.addQuery("machine.meter", [&workplace, processor](const ordered_json& params) {
        return meter(workplace, *processor, params);
    });
    server.addQuery("folder.list", list);
}

}  // namespace spd::cli
