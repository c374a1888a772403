#include "core/model/packed_lm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/kernels/packed_matrix.h"
#include "core/model/packed_weights.h"
#include "core/model/rope.h"

namespace spd {

namespace {

/// Rows of activations in the type that a linear reads: float32, or bfloat16 beside bfloat16 weights.
class LinearInput {
public:
    void resize(int64_t rows, int64_t stride, DType dtype) {
        stride_ = stride;
        rounded_ = dtype == DType::bfloat16;
        if (rounded_)
            halves_.resize(static_cast<size_t>(rows * stride));
        else
            floats_.resize(static_cast<size_t>(rows * stride));
    }
    void setRow(const KernelTable& kernels, int64_t row, int64_t first, const float* values, int64_t count) {
        const auto offset = static_cast<size_t>(row * stride_ + first);
        if (rounded_)
            kernels.to_bfloat16(values, count, halves_.data() + offset);
        else
            std::copy_n(values, count, floats_.data() + offset);
    }
    const void* data() const {
        return rounded_ ? static_cast<const void*>(halves_.data()) : static_cast<const void*>(floats_.data());
    }

private:
    int64_t stride_ = 0;
    bool rounded_ = false;
    std::vector<float> floats_;  // zero where never written: the element past an odd width stays 0
    std::vector<uint16_t> halves_;
};

}  // namespace

struct PackedLm::Impl {
    ModelConfig config;
    DType dtype;
    ThreadPool* pool;
    const KernelTable* kernels;
    PackedWeights weights;

    // cos and sin of position x inverse frequency, float32: [positions, head_dim / 2]
    std::vector<float> rope_cos;
    std::vector<float> rope_sin;

    // Buffers of one step; M rows.
    std::vector<float> hidden;       // [M, hidden_size]: the residual stream
    std::vector<float> normed;       // [threads, hidden_size or intermediate_size]
    std::vector<float> qkv;          // [M, (H + 2 Hkv) D padded]
    std::vector<float> attended;     // [M, H x head_dim rounded up to 16]
    std::vector<float> projected;    // [M, hidden_size padded]: output of o_proj or down_proj
    std::vector<float> gate_up;      // [M, 2 intermediate_size padded]
    std::vector<float> scores;       // [threads, 8, longest sequence padded]
    std::vector<float> logits;       // [wanting rows, vocab_size padded]
    LinearInput hidden_input;        // [M, hidden_size]
    LinearInput attended_input;      // [M, H D]
    LinearInput intermediate_input;  // [M, intermediate_size]

    void prepareRope(int64_t positions);
    void reserve(int64_t rows, int64_t longest);
    void embed(std::span<const StepRow> rows);
    void attentionBlock(std::span<const StepRow> rows, int64_t layer, KvCache& cache);
    void rotateAndCache(const StepRow& row, int64_t index, int64_t layer, KvCache& cache);
    void rotate(float* head, int64_t position) const;
    void attend(std::span<const StepRow> rows, int64_t layer, const KvCache& cache);
    void mlpBlock(int64_t rows, int64_t layer);
    void addNormInput(int64_t rows, bool add, const std::vector<float>& norm);
    std::span<float> head(std::span<const StepRow> rows);

    float* normedRow(int thread) {
        return normed.data() + thread * std::max(config.hidden_size, config.intermediate_size);
    }
    int64_t qkvStride() const {
        return roundUpToLanes((config.num_attention_heads + 2 * config.num_key_value_heads) *
                              config.head_dim);
    }
    int64_t headStride() const { return roundUpToLanes(config.head_dim); }
    float eps() const { return static_cast<float>(config.rms_norm_eps); }
};

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

void PackedLm::Impl::reserve(int64_t rows, int64_t longest) {
    const auto count = [](int64_t a, int64_t b) { return static_cast<size_t>(a * b); };
    hidden.resize(count(rows, config.hidden_size));
    normed.resize(count(pool->size(), std::max(config.hidden_size, config.intermediate_size)));
    qkv.resize(count(rows, qkvStride()));
    attended.resize(count(rows, config.num_attention_heads * headStride()));
    projected.resize(count(rows, roundUpToLanes(config.hidden_size)));
    gate_up.resize(count(rows, roundUpToLanes(2 * config.intermediate_size)));
    scores.resize(count(pool->size() * 8, roundUpToLanes(longest)));
    const DecoderLayerWeights& layer = weights.layers.front();
    hidden_input.resize(rows, layer.qkv.inStride(), dtype);
    attended_input.resize(rows, layer.o.inStride(), dtype);
    intermediate_input.resize(rows, layer.down.inStride(), dtype);
}

std::span<float> PackedLm::step(std::span<const StepRow> rows, KvCache& cache, const JobContext& context) {
    Impl& self = *impl_;
    int64_t longest = 0;
    for (const StepRow& row : rows)
        longest = std::max(longest, row.position + 1);
    self.reserve(static_cast<int64_t>(rows.size()), longest);
    self.embed(rows);
    for (int64_t layer = 0; layer < self.config.num_hidden_layers; ++layer) {
        context.checkStop();
        self.attentionBlock(rows, layer, cache);
        self.mlpBlock(static_cast<int64_t>(rows.size()), layer);
    }
    return self.head(rows);
}

void PackedLm::Impl::embed(std::span<const StepRow> rows) {
    const PackedMatrix& embedding = weights.embedding();
    pool->run(static_cast<int64_t>(rows.size()), [&](int, int64_t i) {
        embedding.unpackRow(rows[static_cast<size_t>(i)].token, hidden.data() + i * config.hidden_size);
    });
}

/// hidden += projected (the block before), then hidden_input = RMSNorm(hidden) of every row.
void PackedLm::Impl::addNormInput(int64_t rows, bool add, const std::vector<float>& norm) {
    const int64_t width = config.hidden_size;
    pool->run(rows, [&](int thread, int64_t i) {
        float* row = hidden.data() + i * width;
        if (add)
            kernels->add(projected.data() + i * roundUpToLanes(width), width, row);
        kernels->rms_norm(row, norm.data(), width, eps(), normedRow(thread));
        hidden_input.setRow(*kernels, i, 0, normedRow(thread), width);
    });
}

void PackedLm::Impl::attentionBlock(std::span<const StepRow> rows, int64_t layer, KvCache& cache) {
    const DecoderLayerWeights& w = weights.layers[static_cast<size_t>(layer)];
    const auto count = static_cast<int64_t>(rows.size());
    addNormInput(count, /*add=*/layer > 0, w.input_norm);
    w.qkv.multiply(*pool, *kernels, hidden_input.data(), count, w.qkvBias(), qkv.data(), qkvStride());
    pool->run(count, [&](int, int64_t i) { rotateAndCache(rows[static_cast<size_t>(i)], i, layer, cache); });
    attend(rows, layer, cache);
    w.o.multiply(*pool, *kernels, attended_input.data(), count, w.oBias(), projected.data(),
                 roundUpToLanes(config.hidden_size));
}

/// q_norm and k_norm where the family has them, RoPE on Q and K, K and V into the cache.
void PackedLm::Impl::rotateAndCache(const StepRow& row, int64_t index, int64_t layer, KvCache& cache) {
    const DecoderLayerWeights& w = weights.layers[static_cast<size_t>(layer)];
    const int64_t heads = config.num_attention_heads;
    const int64_t D = config.head_dim;
    float* q = qkv.data() + index * qkvStride();
    float* k = q + heads * D;
    for (int64_t h = 0; h < heads + config.num_key_value_heads; ++h) {
        float* head = q + h * D;
        if (config.qk_norm)
            kernels->rms_norm(head, (h < heads ? w.q_norm : w.k_norm).data(), D, eps(), head);
        rotate(head, row.position);
    }
    cache.write(*kernels, row.slot, layer, row.position, k, k + config.kvWidth());
}

/// Rotate-half layout: element i turns with element i + D/2.
void PackedLm::Impl::rotate(float* head, int64_t position) const {
    const int64_t half = config.head_dim / 2;
    const float* cos = rope_cos.data() + position * half;
    const float* sin = rope_sin.data() + position * half;
    for (int64_t i = 0; i < half; ++i) {
        const float first = head[i];
        const float second = head[i + half];
        head[i] = first * cos[i] - second * sin[i];
        head[i + half] = second * cos[i] + first * sin[i];
    }
}

void PackedLm::Impl::attend(std::span<const StepRow> rows, int64_t layer, const KvCache& cache) {
    const int64_t kv_heads = config.num_key_value_heads;
    const int64_t group = config.num_attention_heads / kv_heads;
    const int64_t D = config.head_dim;
    const int64_t scratch = static_cast<int64_t>(scores.size()) / pool->size();
    const auto kernel = dtype == DType::float32    ? kernels->attend_float32
                        : dtype == DType::bfloat16 ? kernels->attend_bfloat16
                                                   : kernels->attend_float16;
    pool->run(static_cast<int64_t>(rows.size()) * kv_heads, [&](int thread, int64_t item) {
        const int64_t i = item / kv_heads;
        const int64_t head = item % kv_heads;
        const StepRow& row = rows[static_cast<size_t>(i)];
        float* out = attended.data() + (i * config.num_attention_heads + head * group) * headStride();
        kernel({qkv.data() + i * qkvStride() + head * group * D, cache.keys(row.slot, layer, head),
                cache.values(row.slot, layer, head), D, cache.valueStride(), row.position + 1, group,
                1.0f / std::sqrt(static_cast<float>(D)), scores.data() + thread * scratch, out,
                headStride()});
        for (int64_t g = 0; g < group; ++g)
            attended_input.setRow(*kernels, i, (head * group + g) * D, out + g * headStride(), D);
    });
}

void PackedLm::Impl::mlpBlock(int64_t rows, int64_t layer) {
    const DecoderLayerWeights& w = weights.layers[static_cast<size_t>(layer)];
    const int64_t width = config.intermediate_size;
    const int64_t stride = roundUpToLanes(2 * width);
    addNormInput(rows, /*add=*/true, w.post_attention_norm);
    w.gate_up.multiply(*pool, *kernels, hidden_input.data(), rows, w.gateUpBias(), gate_up.data(), stride);
    pool->run(rows, [&](int thread, int64_t i) {
        const float* gate = gate_up.data() + i * stride;
        kernels->silu_multiply(gate, gate + width, width, normedRow(thread));
        intermediate_input.setRow(*kernels, i, 0, normedRow(thread), width);
    });
    w.down.multiply(*pool, *kernels, intermediate_input.data(), rows, w.downBias(), projected.data(),
                    roundUpToLanes(config.hidden_size));
}

/// Final norm and head of the rows that want logits.
std::span<float> PackedLm::Impl::head(std::span<const StepRow> rows) {
    const int64_t width = config.hidden_size;
    std::vector<int64_t> wanted;
    for (size_t i = 0; i < rows.size(); ++i)
        if (rows[i].wants_logits)
            wanted.push_back(static_cast<int64_t>(i));
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
