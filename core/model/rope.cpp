#include "core/model/rope.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/where.h>

#include <numbers>

namespace spd {
namespace {

/// transformers, _compute_llama3_parameters: long wavelengths are slowed down by `factor`, short ones kept,
/// those between mixed.
at::Tensor llama3Scaled(const at::Tensor& frequencies, const RopeConfig& rope) {
    const auto old_length = static_cast<double>(rope.original_max_position_embeddings);
    const double longest_kept = old_length / rope.high_freq_factor;
    const double shortest_slowed = old_length / rope.low_freq_factor;
    const at::Tensor wavelength = frequencies.reciprocal() * (2 * std::numbers::pi);
    const at::Tensor is_long = wavelength > shortest_slowed;
    const at::Tensor slowed = at::where(is_long, frequencies / rope.factor, frequencies);
    const at::Tensor smooth = (wavelength.reciprocal() * old_length - rope.low_freq_factor) /
                              (rope.high_freq_factor - rope.low_freq_factor);
    const at::Tensor mixed = (1.0 - smooth) * slowed / rope.factor + smooth * slowed;
    const at::Tensor is_between =
        (wavelength < longest_kept).logical_not().logical_and(is_long.logical_not());
    return at::where(is_between, mixed, slowed);
}

}  // namespace

std::vector<float> ropeInverseFrequencies(const ModelConfig& config) {
    const auto head_dim = static_cast<double>(config.head_dim);
    const at::Tensor exponents = at::arange(0, config.head_dim, 2, at::kFloat) / head_dim;
    at::Tensor frequencies = at::pow(config.rope.theta, exponents).reciprocal();
    if (config.rope.kind == RopeConfig::Kind::llama3)
        frequencies = llama3Scaled(frequencies, config.rope);
    frequencies = frequencies.contiguous();
    const auto* values = frequencies.const_data_ptr<float>();
    return {values, values + frequencies.numel()};
}

}  // namespace spd
