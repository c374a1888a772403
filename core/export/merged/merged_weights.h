#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/dtype.h"
#include "core/base/job_context.h"
#include "core/io/adapter.h"
#include "core/io/checkpoint.h"

namespace spd {

/// What rounding W + dW to 16 bits leaves of dW, over all linears of one name. With kept = round(W + dW) -
/// round(W), which is 0 where dW is below half a step of W's:
struct RoundingLoss {
    AttentionLinear linear = AttentionLinear::q;
    DType dtype = DType::bfloat16;
    double kept = 0;   ///< <kept, dW> / |dW|^2: 1 where the direction is whole, 0 where the adapter vanished
    double error = 0;  ///< |kept - dW| / |dW|, Frobenius
};

/// The weights of a base model with a LoRA adapter added: W + scale B A, in float64, rounded once. Nothing is
/// held but one piece of one tensor.
class MergedWeights {
public:
    /// Both are used until this object goes.
    /// @param dtype  of every tensor; nothing: each stays in the type that it is stored in.
    MergedWeights(const Checkpoint& base, const LoraAdapter& adapter, std::optional<DType> dtype);

    /// @param shape  as expectedTensors() says.
    DType typeOf(const std::string& tensor) const;
    bool isMerged(const std::string& tensor) const { return modules_.contains(tensor); }

    /// Calls `sink` with the tensor's elements, row-major, in typeOf(), piece after piece. What no LoRA is on
    /// and keeps its type passes bit by bit.
    /// @throws Error io, what `sink` throws; Cancelled
    void stream(const ExpectedTensor& tensor, const JobContext& context,
                const std::function<void(const char* bytes, size_t count)>& sink);

    /// Of the tensors that stream() has merged in 16 bits so far, each once.
    std::vector<RoundingLoss> losses() const;

private:
    struct Sums {
        DType dtype = DType::float32;
        double change = 0;  // |dW|^2
        double along = 0;   // <kept, dW>
        double error = 0;   // |kept - dW|^2
    };
    void mergeRows(const LoraModule& module, int64_t first_row, int64_t columns, std::vector<double>& weights,
                   std::vector<double>& changes) const;
    void measure(DType dtype, const std::vector<float>& values, const std::vector<double>& merged,
                 const std::vector<double>& changes, Sums& sums) const;

    const Checkpoint& base_;
    std::optional<DType> dtype_;
    std::map<std::string, const LoraModule*> modules_;  // by the name of the weight that they change
    std::map<std::string, Sums> sums_;
};

}  // namespace spd
