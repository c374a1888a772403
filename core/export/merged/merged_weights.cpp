#include "core/export/merged/merged_weights.h"

#include <algorithm>
#include <cmath>

#include "core/intervene/folding.h"
#include "core/io/adapter/peft_config.h"

namespace spd {
namespace {

constexpr int64_t kPiece = int64_t{1} << 20;  // elements

int64_t elementsOf(const ExpectedTensor& tensor) {
    int64_t count = 1;
    for (const int64_t dimension : tensor.shape)
        count *= dimension;
    return count;
}

}  // namespace

MergedWeights::MergedWeights(const Checkpoint& base, const LoraAdapter& adapter, std::optional<DType> dtype)
    : base_(base), dtype_(dtype) {
    for (const LoraModule& module : adapter.modules)
        modules_[modulePath(module.layer, module.linear) + ".weight"] = &module;
}

DType MergedWeights::typeOf(const std::string& tensor) const {
    return dtype_.value_or(base_.storedType(tensor));
}

void MergedWeights::stream(const ExpectedTensor& tensor, const JobContext& context,
                           const std::function<void(const char* bytes, size_t count)>& sink) {
    const DType dtype = typeOf(tensor.name);
    const int64_t columns = tensor.shape.back();
    const int64_t rows = elementsOf(tensor) / columns;
    const int64_t rows_at_once = std::max<int64_t>(1, kPiece / columns);
    const auto found = modules_.find(tensor.name);
    Sums sums = {.dtype = dtype};
    std::vector<char> bytes;
    std::vector<float> values;
    std::vector<double> weights;
    std::vector<double> changes;
    for (int64_t row = 0; row < rows; row += rows_at_once) {
        context.checkStop();
        const int64_t count = std::min(rows_at_once, rows - row) * columns;
        bytes.resize(static_cast<size_t>(count * bytesPerElement(dtype)));
        if (found == modules_.end()) {
            base_.read(tensor.name, row * columns, count, dtype, bytes.data());
        } else {
            values.resize(static_cast<size_t>(count));
            base_.read(tensor.name, row * columns, count, DType::float32, values.data());
            weights.assign(values.begin(), values.end());
            mergeRows(*found->second, row, columns, weights, changes);
            measure(dtype, values, weights, changes, sums);
            roundTo(dtype, weights, bytes.data());
        }
        sink(bytes.data(), bytes.size());
    }
    if (found != modules_.end())
        sums_[tensor.name] = sums;
}

/// weights += scale B A for the rows from `first_row` on; `changes` is what was added.
void MergedWeights::mergeRows(const LoraModule& module, int64_t first_row, int64_t columns,
                              std::vector<double>& weights, std::vector<double>& changes) const {
    changes.assign(weights.size(), 0.0);
    const auto rows = static_cast<int64_t>(weights.size()) / columns;
    for (int64_t row = 0; row < rows; ++row) {
        double* change = changes.data() + row * columns;
        for (int64_t k = 0; k < module.r; ++k) {
            const double b =
                static_cast<double>(module.b[static_cast<size_t>((first_row + row) * module.r + k)]);
            const float* a = module.a.data() + k * columns;
            for (int64_t column = 0; column < columns; ++column)
                change[column] += b * static_cast<double>(a[column]);
        }
    }
    for (size_t i = 0; i < weights.size(); ++i) {
        changes[i] *= module.scale;
        weights[i] += changes[i];
    }
}

/// @param values  W.   @param merged  W + dW.   @param changes  dW.
void MergedWeights::measure(DType dtype, const std::vector<float>& values, const std::vector<double>& merged,
                            const std::vector<double>& changes, Sums& sums) const {
    if (dtype == DType::float32)
        return;
    const std::vector<double> exact(values.begin(), values.end());
    const std::vector<float> before = roundedTo(dtype, exact);
    const std::vector<float> after = roundedTo(dtype, merged);
    for (size_t i = 0; i < changes.size(); ++i) {
        const double kept = static_cast<double>(after[i]) - static_cast<double>(before[i]);
        sums.change += changes[i] * changes[i];
        sums.along += kept * changes[i];
        sums.error += (kept - changes[i]) * (kept - changes[i]);
    }
}

std::vector<RoundingLoss> MergedWeights::losses() const {
    std::vector<RoundingLoss> losses;
    for (const AttentionLinear linear : kAttentionLinears) {
        Sums all;
        for (const auto& [tensor, sums] : sums_) {
            if (modules_.at(tensor)->linear != linear || sums.dtype == DType::float32)
                continue;
            all.dtype = sums.dtype;
            all.change += sums.change;
            all.along += sums.along;
            all.error += sums.error;
        }
        if (all.change > 0)  // an adapter of zeros has nothing to lose
            losses.push_back({linear, all.dtype, all.along / all.change, std::sqrt(all.error / all.change)});
    }
    return losses;
}

}  // namespace spd
