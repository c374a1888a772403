#include "core/export/peft_adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/export/base_model.h"
#include "core/export/export_folder.h"
#include "core/io/adapter_writer.h"
#include "core/io/model_config.h"

namespace spd {
namespace {

using Json = nlohmann::ordered_json;

/// A scale goes through alpha = scale r and back.
bool sameModule(const LoraModule& left, const LoraModule& right) {
    constexpr double rounding = 1e-14;
    return left.layer == right.layer && left.linear == right.linear && left.r == right.r &&
           std::abs(left.scale - right.scale) <= rounding * std::abs(right.scale) && left.a == right.a &&
           left.b == right.b;
}

/// @throws Error internal
void checkSame(const LoraAdapter& written, const LoraAdapter& read) {
    if (written.base_model_name_or_path != read.base_model_name_or_path ||
        written.revision != read.revision ||
        !std::equal(written.modules.begin(), written.modules.end(), read.modules.begin(), read.modules.end(),
                    sameModule))
        throw Error(ErrorKind::internal, "the adapter that was written and read again is another one");
}

}  // namespace

PeftExportSummary exportPeft(const PeftExportRequest& request) {
    const ModelLocation base = locateBase(request.base, request.adapter, request.workspace);
    const ModelConfig config = readModelConfig(base.folder);
    LoraAdapter adapter = readAdapter(request.adapter, config);
    nameFoundBase(adapter, base);
    const Json provenance = {
        {"format_version", 1},
        {"stage", "export peft"},
        {"base_model",
         {{"id", printable(adapter.base_model_name_or_path, 4096)}, {"revision", adapter.revision}}},
        {"source", readProvenance(request.adapter)}};
    AtomicFolder folder = openExportFolder(request.out, request.adapter, request.overwrite);
    writeAdapterFiles(folder.path(), adapter, config, provenance);
    checkSame(adapter, readAdapter(folder.path(), config));
    folder.commit();
    return {static_cast<int64_t>(adapter.modules.size()), adapter.r, adapter.base_model_name_or_path,
            adapter.revision};
}

}  // namespace spd
