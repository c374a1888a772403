#include "core/export/peft_adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/export/base_model.h"
#include "core/export/export_folder.h"
#include "core/io/adapter_writer.h"
#include "core/io/model_config.h"
#include "core/pipeline/session.h"

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

/// What training recorded of its base model's weights; empty where it did not.
std::string trainedOnWeights(const Json& source) {
    const Json model = source.is_object() ? source.value("model", Json()) : Json();
    const Json fingerprint = model.is_object() ? model.value("weights_fingerprint", Json()) : Json();
    return fingerprint.is_string() ? fingerprint.get<std::string>() : "";
}

void warnOfOtherWeights(const PeftExportRequest& request, const Json& source, const Checkpoint& base) {
    const std::string trained_on = trainedOnWeights(source);
    if (request.on_warning && !trained_on.empty() && trained_on != weightsFingerprint(base))
        request.on_warning(fmt::format("{}: was trained on other weights than {} has",
                                       printable(request.adapter.native(), 1000),
                                       printable(base.folder().native(), 1000)));
}

}  // namespace

PeftExportSummary exportPeft(const PeftExportRequest& request, const JobContext& context) {
    const ModelLocation base = locateBase(request.base, request.adapter, request.workspace);
    const ModelConfig config = readModelConfig(base.folder);
    LoraAdapter adapter = readAdapter(request.adapter, config);
    nameFoundBase(adapter, base);
    const Json source = readProvenance(request.adapter);
    PeftExportSummary summary = {static_cast<int64_t>(adapter.modules.size()),
                                 adapter.r,
                                 adapter.base_model_name_or_path,
                                 adapter.revision,
                                 {},
                                 {}};
    AtomicFolder folder = openExportFolder(request.out, request.adapter, request.overwrite);
    const std::optional<CheckModel> model =
        openCheckModel(base.folder, !request.base.empty(), summary.not_compared, context);
    if (model)
        warnOfOtherWeights(request, source, model->checkpoint);
    const Json provenance = {
        {"format_version", 1},
        {"stage", "export peft"},
        {"base_model",
         {{"id", printable(adapter.base_model_name_or_path, 4096)}, {"revision", adapter.revision}}},
        {"source", source}};
    writeAdapterFiles(folder.path(), adapter, config, provenance);
    LoraAdapter read = readAdapter(folder.path(), config);
    checkSame(adapter, read);
    if (model) {
        summary.logits = compareLogits(*model, {{}, std::move(adapter)}, {{}, std::move(read)}, context);
        requireSameLogits(*summary.logits, "base + exported adapter differ from base + adapter");
    }
    folder.commit();
    return summary;
}

}  // namespace spd
