#include "core/pipeline/resident_model.h"

#include "core/kernels/kernel_table.h"

namespace spd {

ResidentModel::ResidentModel(Session session, int threads) : session_(std::move(session)), pool_(threads) {}

PackedLm& ResidentModel::packed(DType dtype, const JobContext& context) {
    if (!holdsPacked(dtype)) {
        release();
        packed_.emplace(PackedLm::load(session_.checkpoint, dtype, pool_, detectIsa(), context));
        dtype_ = dtype;
        if (on_change_)
            on_change_();
    }
    return *packed_;
}

CausalLm& ResidentModel::causal(DType dtype, const JobContext& context) {
    if (!holdsCausal(dtype)) {
        release();
        causal_.emplace(CausalLm::load(session_.checkpoint, dtype, context));
        dtype_ = dtype;
        if (on_change_)
            on_change_();
    }
    return *causal_;
}

void ResidentModel::release() {
    if (!held())
        return;
    packed_.reset();
    causal_.reset();
    if (on_change_)
        on_change_();
}

std::optional<DType> ResidentModel::held() const {
    return packed_ || causal_ ? std::optional(dtype_) : std::nullopt;
}

}  // namespace spd
