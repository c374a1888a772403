#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/io/model_config.h"
#include "tests/support/planned_model.h"

namespace spd::test {

/// A PEFT folder in the making, written by hand: tests change a part of it, then write it.
struct PlannedAdapter {
    nlohmann::ordered_json config;
    std::vector<PlannedTensor> tensors;

    PlannedTensor& tensor(const std::string& name);
    /// `linear` is "0.q_proj".
    PlannedTensor& a(const std::string& linear);
    PlannedTensor& b(const std::string& linear);
    void write(const std::filesystem::path& folder) const;
};

/// The model that plannedAdapter() is for: plannedModel("llama").
ModelConfig adaptedModel();

/// A sound adapter: r 2, alpha 4, LoRA on q_proj and v_proj of both layers, as peft spells it. Element i of
/// the n-th tensor is n + i / 64, exact in every type.
PlannedAdapter plannedAdapter();

/// A tensor of these values in F32, F16, BF16 or F64; exact ones only.
PlannedTensor plannedTensor(const std::string& name, const std::string& dtype,
                            const std::vector<int64_t>& shape, const std::vector<float>& values);

/// A float32 tensor [rows, columns] of first, first + 1/64, ...
PlannedTensor countingTensor(const std::string& name, const std::vector<int64_t>& shape, float first);

}  // namespace spd::test
