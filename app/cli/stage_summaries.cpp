#include "app/cli/stage_summaries.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/subspace/spectrum.h"

namespace spd::cli {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using Json = ordered_json;

ordered_json summaryJson(const CalibrateSummary& summary, const std::filesystem::path& out) {
    ordered_json targets = ordered_json::object();
    for (const auto& [target, measured] : summary.subspace.targets) {
        ordered_json heads = ordered_json::array();
        for (const Spectrum& head : measured.heads) {
            const int64_t half = std::max<int64_t>(1, head.singular_values.size() / 2);
            heads.push_back({{"width", head.singular_values.size()},
                             {"numeric_rank", head.numeric_rank},
                             {"effective_rank", head.effective_rank},
                             {"stable_rank", head.stable_rank},
                             {"half_dim_energy", energyOf(head.singular_values, half)},
                             {"half_dim_overlap", head.split_half_overlap(half - 1)}});
        }
        targets[toText(target)] = heads;
    }
    return {{"out", out.string()},
            {"examples", summary.subspace.examples.size()},
            {"resumed", summary.resumed},
            {"tokens", summary.tokens},
            {"open_seconds", summary.open_seconds},
            {"gradient_seconds", summary.gradient_seconds},
            {"decompose_seconds", summary.decompose_seconds},
            {"targets", targets}};
}

ordered_json summaryJson(const CorpusSummary& summary, const fs::path& out) {
    return {{"out", out.string()},
            {"prompts", summary.prompts},
            {"resumed", summary.resumed},
            {"completion_tokens", summary.completion_tokens},
            {"intervention", summary.intervention_record},
            {"statistics", summary.statistics_record},
            {"open_seconds", summary.open_seconds},
            {"generate_seconds", summary.generate_seconds}};
}

ordered_json summaryJson(const TrainSummary& summary) {
    return {{"adapter", summary.adapter.string()},
            {"examples", summary.examples},
            {"corpus", summary.filtered.keeps.empty() ? Json() : summary.filtered.toJson()},
            {"held_out", summary.held_out},
            {"steps", summary.steps},
            {"planned_steps", summary.planned_steps},
            {"resumed_steps", summary.resumed_steps},
            {"was_complete", summary.was_complete},
            {"stopped_early", summary.stopped_early},
            {"adapter_step", summary.adapter_step},
            {"first_loss", summary.first_loss},
            {"last_loss", summary.last_loss},
            {"held_out_nll", summary.held_out_loss ? Json(*summary.held_out_loss) : Json()},
            {"recompute", summary.activations_kept ? "off" : "full"},
            {"forecast_bytes", summary.forecast_bytes},
            {"peak_bytes", summary.peak_bytes},
            {"tokens", summary.tokens},
            {"seconds", summary.seconds}};
}

ordered_json summaryJson(const PeftExportSummary& summary, const fs::path& out) {
    nlohmann::ordered_json result = {{"out", out.string()},
                                     {"modules", summary.modules},
                                     {"r", summary.r},
                                     {"base_model_name_or_path", summary.base_model_name_or_path},
                                     {"revision", summary.revision},
                                     {"logit_difference", nullptr}};
    if (summary.logits) {
        result["logit_difference"] = summary.logits->difference;
        result["compared_in"] = name(summary.logits->dtype);
    } else {
        result["not_compared"] = summary.not_compared;
    }
    return result;
}

ordered_json summaryJson(const HookExportSummary& summary, const fs::path& out) {
    nlohmann::ordered_json result = {{"out", out.string()},
                                     {"matrices", summary.matrices.string()},
                                     {"targets", summary.targets},
                                     {"logit_difference", nullptr}};
    if (summary.logits) {
        result["logit_difference"] = summary.logits->difference;
        result["compared_in"] = name(summary.logits->dtype);
    } else {
        result["not_compared"] = summary.not_compared;
    }
    return result;
}

ordered_json summaryJson(const MergeSummary& summary, const fs::path& out) {
    Json losses = Json::object();
    for (const RoundingLoss& loss : summary.losses)
        losses[moduleName(loss.linear)] = {
            {"dtype", name(loss.dtype)}, {"kept", loss.kept}, {"error", loss.error}};
    return {{"out", out.string()},
            {"tensors", summary.tensors},
            {"merged", summary.merged},
            {"files", summary.files},
            {"bytes", summary.bytes},
            {"rounding", losses},
            {"logit_difference", summary.logits.difference},
            {"compared_in", name(summary.logits.dtype)}};
}

}  // namespace spd::cli
