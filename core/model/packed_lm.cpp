#include "core/model/packed_lm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/model/packed_lm_impl.h"
#include "core/model/rope.h"

namespace spd {

PackedLm::PackedLm(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PackedLm::PackedLm(PackedLm&&) noexcept = default;
PackedLm& PackedLm::operator=(PackedLm&&) noexcept = default;
PackedLm::~PackedLm() = default;

PackedLm PackedLm::load(const Checkpoint& checkpoint, DType dtype, ThreadPool& pool, Isa isa,
                        const JobContext& context) {
    auto impl = std::make_unique<Impl>();
    impl->config = checkpoint.config();
    impl->dtype = dtype;
    impl->pool = &pool;
    impl->kernels = &kernelTable(isa);
    impl->weights = loadPackedWeights(checkpoint, dtype, pool, context);
    return PackedLm(std::move(impl));
}

const ModelConfig& PackedLm::config() const {
    return impl_->config;
}
DType PackedLm::dtype() const {
    return impl_->dtype;
}
int64_t PackedLm::logitsStride() const {
    return roundUpToLanes(impl_->config.vocab_size);
}

KvCache PackedLm::makeCache(int64_t slots, int64_t capacity) {
    KvCache cache(impl_->config, impl_->dtype, slots, capacity);
    impl_->prepareRope(cache.capacity());
    return cache;
}

void PackedLm::Impl::prepareRope(int64_t positions) {
    const std::vector<float> frequencies = ropeInverseFrequencies(config);
    const size_t half = frequencies.size();
    if (rope_cos.size() >= static_cast<size_t>(positions) * half)
        return;
    rope_cos.resize(static_cast<size_t>(positions) * half);
    rope_sin.resize(rope_cos.size());
    for (size_t position = 0; position < static_cast<size_t>(positions); ++position)
        for (size_t i = 0; i < half; ++i) {
            const float angle = static_cast<float>(position) * frequencies[i];
            rope_cos[position * half + i] = std::cos(angle);
            rope_sin[position * half + i] = std::sin(angle);
        }
}

PackedInterventions PackedLm::prepare(std::span<const Intervention> interventions,
                                      const JobContext& context) const {
    return {impl_->config, impl_->dtype, impl_->weights, interventions, *impl_->pool, context};
}

/// Sorts the rows into groups that are computed alike. Within a group they keep the caller's order.
void PackedLm::Impl::arrange(std::span<const StepRow> unsorted, const PackedInterventions& interventions) {
    std::vector<const ModelVariant*> seen;  // in order of appearance; there are few
    std::vector<size_t> kinds;              // of each row, into `seen`
    for (const StepRow& row : unsorted) {
        const ModelVariant* variant = interventions.variant(row.intervention, row.in_prompt);
        const auto kind = static_cast<size_t>(std::find(seen.begin(), seen.end(), variant) - seen.begin());
        if (kind == seen.size())
            seen.push_back(variant);
        kinds.push_back(kind);
    }
    rows.clear();
    row_variants.clear();
    groups.clear();
    places.resize(unsorted.size());
    for (size_t kind = 0; kind < seen.size(); ++kind) {
        const int64_t first = rowCount();
        for (size_t i = 0; i < unsorted.size(); ++i)
            if (kinds[i] == kind) {
                places[i] = rowCount();
                rows.push_back(unsorted[i]);
                row_variants.push_back(seen[kind]);
            }
        groups.push_back({first, rowCount() - first, seen[kind]});
    }
}

void PackedLm::Impl::reserve() {
    int64_t longest = 0;
    for (const StepRow& row : rows)
        longest = std::max(longest, row.position + 1);
    const int64_t M = rowCount();
    const auto count = [](int64_t a, int64_t b) { return static_cast<size_t>(a * b); };
    hidden.resize(count(M, config.hidden_size));
    normed.resize(count(pool->size(), std::max(config.hidden_size, config.intermediate_size)));
    qkv.resize(count(M, qkvStride()));
    mapped.resize(count(pool->size(), roundUpToLanes(config.kvWidth())));
    attended.resize(count(M, config.num_attention_heads * headStride()));
    projected.resize(count(M, roundUpToLanes(config.hidden_size)));
    gate_up.resize(count(M, roundUpToLanes(2 * config.intermediate_size)));
    scores.resize(count(pool->size() * 8, roundUpToLanes(longest)));
    const DecoderLayerWeights& layer = weights.layers.front();
    hidden_input.resize(M, layer.qkv.inStride(), dtype);
    attended_input.resize(M, layer.o.inStride(), dtype);
    intermediate_input.resize(M, layer.down.inStride(), dtype);
}

std::span<float> PackedLm::step(std::span<const StepRow> rows, KvCache& cache, const JobContext& context) {
    return step(rows, cache, PackedInterventions(), context);
}

std::span<float> PackedLm::step(std::span<const StepRow> rows, KvCache& cache,
                                const PackedInterventions& interventions, const JobContext& context) {
    Impl& self = *impl_;
    self.arrange(rows, interventions);
    self.reserve();
    self.embed();
    for (int64_t layer = 0; layer < self.config.num_hidden_layers; ++layer) {
        context.checkStop();
        self.attentionBlock(layer, cache);
        self.mlpBlock(layer);
    }
    return self.head(rows);
}

void PackedLm::Impl::embed() {
    const PackedMatrix& embedding = weights.embedding();
    pool->run(rowCount(), [&](int, int64_t i) {
        embedding.unpackRow(rows[static_cast<size_t>(i)].token, hidden.data() + i * config.hidden_size);
    });
}

/// hidden += projected (the block before), then hidden_input = RMSNorm(hidden) of every row.
void PackedLm::Impl::addNormInput(bool add, const std::vector<float>& norm) {
    const int64_t width = config.hidden_size;
    pool->run(rowCount(), [&](int thread, int64_t i) {
        float* row = hidden.data() + i * width;
        if (add)
            kernels->add(projected.data() + i * roundUpToLanes(width), width, row);
        kernels->rms_norm(row, norm.data(), width, eps(), normedRow(thread));
        hidden_input.setRow(*kernels, i, 0, normedRow(thread), width);
    });
}

void PackedLm::Impl::mlpBlock(int64_t layer) {
    const DecoderLayerWeights& w = weights.layers[static_cast<size_t>(layer)];
    const int64_t width = config.intermediate_size;
    const int64_t stride = roundUpToLanes(2 * width);
    addNormInput(/*add=*/true, w.post_attention_norm);
    w.gate_up.multiply(*pool, *kernels, hidden_input.data(), rowCount(), w.gateUpBias(), gate_up.data(),
                       stride);
    pool->run(rowCount(), [&](int thread, int64_t i) {
        const float* gate = gate_up.data() + i * stride;
        kernels->silu_multiply(gate, gate + width, width, normedRow(thread));
        intermediate_input.setRow(*kernels, i, 0, normedRow(thread), width);
    });
    w.down.multiply(*pool, *kernels, intermediate_input.data(), rowCount(), w.downBias(), projected.data(),
                    roundUpToLanes(config.hidden_size));
}

/// Final norm and head of the rows that want logits, in the caller's order.
std::span<float> PackedLm::Impl::head(std::span<const StepRow> unsorted) {
    const int64_t width = config.hidden_size;
    std::vector<int64_t> wanted;
    for (size_t i = 0; i < unsorted.size(); ++i)
        if (unsorted[i].wants_logits)
            wanted.push_back(places[i]);
    const auto count = static_cast<int64_t>(wanted.size());
    if (count == 0)
        return {};
    pool->run(count, [&](int thread, int64_t i) {
        float* row = hidden.data() + wanted[static_cast<size_t>(i)] * width;
        kernels->add(projected.data() + wanted[static_cast<size_t>(i)] * roundUpToLanes(width), width, row);
        kernels->rms_norm(row, weights.final_norm.data(), width, eps(), normedRow(thread));
        hidden_input.setRow(*kernels, i, 0, normedRow(thread), width);
    });
    const int64_t stride = roundUpToLanes(config.vocab_size);
    logits.resize(static_cast<size_t>(count * stride));
    weights.head.multiply(*pool, *kernels, hidden_input.data(), count, nullptr, logits.data(), stride);
    return logits;
}

}  // namespace spd
