#include "core/export/merged_checkpoint.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/export/base_model.h"
#include "core/export/export_folder.h"
#include "core/export/merged/carried_files.h"
#include "core/export/merged/weight_files.h"
#include "core/io/adapter/model_card.h"
#include "core/io/adapter_writer.h"
#include "core/pipeline/session.h"

namespace spd {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr double most_loss = 0.1;
constexpr int64_t room_for_other_files = int64_t{64} << 20;

/// @throws Error io
void requireDisk(const fs::path& folder, int64_t bytes) {
    std::error_code error;
    const fs::space_info space = fs::space(folder, error);
    if (!error && space.available < static_cast<uintmax_t>(bytes + room_for_other_files))
        throw Error(
            ErrorKind::io,
            fmt::format("{}: the merged model takes {} MiB, {} MiB are free on that disk",
                        printable(folder.parent_path().native(), 1000), bytes >> 20, space.available >> 20));
}

void warnOfLosses(const std::vector<RoundingLoss>& losses, const OnWarning& on_warning) {
    std::string lost;
    for (const RoundingLoss& loss : losses)
        if (loss.error > most_loss)
            lost += fmt::format("{}{} {:.0f} %", lost.empty() ? "" : ", ", moduleName(loss.linear),
                                100 * loss.error);
    if (!lost.empty() && on_warning)
        on_warning(
            fmt::format("rounding to 16 bits changes what the adapter adds by more than a tenth ({}): "
                        "--dtype float32 keeps it",
                        lost));
}

std::string mergedCard(const LoraAdapter& adapter, const Json& provenance) {
    return fmt::format(R"(---
base_model: {}
base_model_relation: finetune
library_name: transformers
pipeline_tag: text-generation
tags:
- self-policy-distillation
---

# Merged model

A LoRA adapter (r {}, alpha {}) added to the weights of its base model by SPD Workbench.

## How it was made

{}
spd_provenance.json has all of it.
)",
                       yamlText(adapter.base_model_name_or_path), adapter.r, adapter.lora_alpha,
                       provenanceTable(provenance));
}

Json provenanceOf(const MergeRequest& request, const Checkpoint& base, const Intervention& intervention,
                  const MergeSummary& summary) {
    const LoraAdapter& adapter = *intervention.adapter;
    Json losses = Json::object();
    for (const RoundingLoss& loss : summary.losses)
        losses[moduleName(loss.linear)] = {
            {"dtype", name(loss.dtype)}, {"kept", loss.kept}, {"error", loss.error}};
    return {{"format_version", 1},
            {"stage", "export merged"},
            {"base_model",
             {{"id", printable(adapter.base_model_name_or_path, 4096)},
              {"revision", adapter.revision},
              {"config_sha256", configSha256(base)},
              {"weights_fingerprint", weightsFingerprint(base)}}},
            {"adapter", recordOf(intervention).at("adapter")},
            {"dtype", request.dtype ? Json(name(*request.dtype)) : Json("as stored")},
            {"merged_tensors", summary.merged},
            {"rounding", losses},
            {"source", readProvenance(request.adapter)}};
}

/// Base model and adapter, found, read and fitting each other.
struct MergeInput {
    Checkpoint base;
    Intervention intervention;
};

MergeInput openInput(const MergeRequest& request, const JobContext& context) {
    const ModelLocation location = locateBase(request.base, request.adapter, request.workspace);
    std::error_code unknown;  // of a path that is not there: then they are not the same
    if (fs::equivalent(request.out, location.folder, unknown))
        throw Error(ErrorKind::invalid_argument, "--out would replace the base model");
    MergeInput input = {Checkpoint::open(location.folder, context), {}};
    input.intervention.adapter = readAdapter(request.adapter, input.base.config());
    nameFoundBase(*input.intervention.adapter, location);
    checkFits(input.intervention, input.base.config());
    return input;
}

/// Everything but the folder's name. Fills in the losses.
void writeFiles(const fs::path& folder, const MergeRequest& request, const MergeInput& input,
                const std::vector<WeightFile>& files, MergedWeights& weights, const JobContext& context,
                MergeSummary& summary) {
    carryFiles(input.base, request.dtype, folder);
    writeWeightFiles(folder, files, weights, context);
    summary.losses = weights.losses();
    const Json provenance = provenanceOf(request, input.base, input.intervention, summary);
    writeFileAtomically(folder / "README.md", mergedCard(*input.intervention.adapter, provenance));
    writeFileAtomically(folder / kProvenance, provenance.dump(2) + "\n");
}

}  // namespace

MergeSummary exportMerged(const MergeRequest& request, const JobContext& context) {
    const MergeInput input = openInput(request, context);
    const DType check_type = logitCheckType(input.base.config());
    const std::vector<ExpectedTensor> tensors = expectedTensors(input.base.config());
    MergedWeights weights(input.base, *input.intervention.adapter, request.dtype);
    const std::vector<WeightFile> files = planWeightFiles(tensors, weights, request.most_file_bytes);
    MergeSummary summary;
    summary.tensors = static_cast<int64_t>(tensors.size());
    summary.merged = static_cast<int64_t>(input.intervention.adapter->modules.size());
    summary.files = static_cast<int64_t>(files.size());
    for (const WeightFile& file : files)
        summary.bytes += file.bytes;

    AtomicFolder folder = openExportFolder(request.out, request.adapter, request.overwrite);
    requireDisk(folder.path(), summary.bytes);
    writeFiles(folder.path(), request, input, files, weights, context, summary);
    compareWeightFiles(folder.path(), tensors, weights, context);
    summary.logits = compareLogits(input.base, input.intervention, folder.path(), check_type, context);
    if (summary.losses.empty())
        requireSameLogits(summary.logits, "the merged model differ from base + adapter");
    input.base.checkUnchanged();
    warnOfLosses(summary.losses, request.on_warning);
    folder.commit();
    return summary;
}

}  // namespace spd
