#pragma once

#include <functional>
#include <optional>

#include "core/kernels/thread_pool.h"
#include "core/model/causal_lm.h"
#include "core/model/packed_lm.h"
#include "core/pipeline/session.h"

namespace spd {

/// The one base model that a process holds: opened once, its weights in memory once, in the form that the
/// stage at work computes with. Asking for the other form drops what is held and reads the weights again, so
/// that two copies never stand side by side. For one thread.
class ResidentModel {
public:
    /// Opens the checkpoint; weights are read when they are first asked for.
    /// @param threads  that the packed form computes with; CausalLm's are the process's (setTorchThreads).
    ResidentModel(Session session, int threads);

    const Session& session() const { return session_; }
    ThreadPool& pool() { return pool_; }

    /// For generation. The reference is good until causal() is called.
    /// @throws Error io, out_of_memory; Cancelled
    PackedLm& packed(DType dtype, const JobContext& context);
    /// Whether packed(dtype) has nothing left to read.
    bool holdsPacked(DType dtype) const { return packed_.has_value() && dtype_ == dtype; }
    /// For gradients and for logits of whole sequences. The reference is good until packed() is called.
    /// @throws Error io, out_of_memory; Cancelled
    CausalLm& causal(DType dtype, const JobContext& context);
    bool holdsCausal(DType dtype) const { return causal_.has_value() && dtype_ == dtype; }
    /// Gives the memory back, for a stage that holds the weights itself.
    void release();

    /// The type of the weights that are in memory; nothing when none are.
    std::optional<DType> held() const;
    /// Called after weights were read or given back, from the thread that did it.
    void onChange(std::function<void()> on_change) { on_change_ = std::move(on_change); }

private:
    Session session_;
    ThreadPool pool_;
    std::optional<PackedLm> packed_;
    std::optional<CausalLm> causal_;
    DType dtype_ = DType::float32;  // of the one that is held
    std::function<void()> on_change_;
};

}  // namespace spd
