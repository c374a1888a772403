#include "core/intervene/packed_interventions.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/intervene/folding.h"
#include "core/model/packed_weights.h"

namespace spd {
namespace {

/// Float32 rows of a packed matrix, [count, in].
std::vector<float> unpackRows(const PackedMatrix& matrix, int64_t first, int64_t count) {
    std::vector<float> rows(static_cast<size_t>(count * matrix.in()));
    for (int64_t row = 0; row < count; ++row)
        matrix.unpackRow(first + row, rows.data() + row * matrix.in());
    return rows;
}

/// Packs values that are rounded to the matrix's type in this step.
void packRounded(const std::vector<double>& exact, int64_t first, PackedMatrix& matrix) {
    std::vector<float> rounded(exact.size());  // room for 16 bits too
    roundTo(matrix.dtype(), exact, rounded.data());
    matrix.packRows(first, static_cast<int64_t>(exact.size()) / matrix.in(), rounded.data());
}

/// Builds the variants of one intervention over one model's weights.
class VariantBuilder {
public:
    VariantBuilder(const ModelConfig& config, DType dtype, const PackedWeights& weights,
                   const Intervention& intervention, ThreadPool& pool, const JobContext& context)
        : config_(config), dtype_(dtype), weights_(weights), pool_(pool), context_(context) {
        if (intervention.projection)
            projection_ = &*intervention.projection;
        if (intervention.adapter)
            adapter_ = &*intervention.adapter;
    }

    /// The adapter alone; nullptr without one.
    std::shared_ptr<const ModelVariant> unprojected() {
        if (adapter_ == nullptr)
            return nullptr;
        auto variant = std::make_shared<ModelVariant>();
        variant->layers.resize(weights_.layers.size());
        for (size_t layer = 0; layer < variant->layers.size(); ++layer)
            addLora(static_cast<int64_t>(layer), /*folded=*/false, variant->layers[layer]);
        return variant;
    }

    /// The adapter and the projection.
    /// @param plain  result of unprojected(): what no projection touches is shared with it.
    std::shared_ptr<const ModelVariant> projected(const ModelVariant* plain) {
        auto variant = std::make_shared<ModelVariant>();
        variant->site = projection_->site;
        variant->layers.resize(weights_.layers.size());
        for (size_t i = 0; i < variant->layers.size(); ++i) {
            const auto layer = static_cast<int64_t>(i);
            LayerVariant& target = variant->layers[i];
            if (plain != nullptr) {
                target.qkv_lora = plain->layers[i].qkv_lora;
                target.o_lora = plain->layers[i].o_lora;
            }
            if (mapOf(layer, KvStream::k) == nullptr && mapOf(layer, KvStream::v) == nullptr)
                continue;
            context_.checkStop();
            if (projection_->apply == ProjectApply::activation) {
                target.k_map = packedMap(mapOf(layer, KvStream::k));
                target.v_map = packedMap(mapOf(layer, KvStream::v));
                continue;
            }
            fold(weights_.layers[i], layer, target);
            if (adapter_ != nullptr)
                addLora(layer, /*folded=*/true, target);
        }
        return variant;
    }

private:
    int64_t queryRows() const { return config_.num_attention_heads * config_.head_dim; }
    int64_t firstRow(KvStream stream) const {
        return queryRows() + (stream == KvStream::k ? 0 : config_.kvWidth());
    }

    const Eigen::MatrixXd* mapOf(int64_t layer, KvStream stream) const {
        const auto found = projection_->maps.find({layer, stream});
        return found == projection_->maps.end() ? nullptr : &found->second.map;
    }

    static std::optional<PackedMatrix> packedMap(const Eigen::MatrixXd* map) {
        if (map == nullptr)
            return std::nullopt;
        const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> rows = map->cast<float>();
        PackedMatrix packed(rows.rows(), rows.cols(), DType::float32);
        packed.packRows(0, rows.rows(), rows.data());
        return packed;
    }

    void fold(const DecoderLayerWeights& base, int64_t layer, LayerVariant& target) {
        const int64_t first = firstReplacedRow(config_);
        const int64_t hidden = config_.hidden_size;
        PackedMatrix kv(base.qkv.out() - first, hidden, dtype_);
        const std::vector<float> queries = unpackRows(base.qkv, first, queryRows() - first);
        packRounded({queries.begin(), queries.end()}, 0, kv);
        target.qkv_bias = base.qkv_bias;
        for (const KvStream stream : {KvStream::k, KvStream::v}) {
            const std::vector<float> rows = unpackRows(base.qkv, firstRow(stream), config_.kvWidth());
            const Eigen::MatrixXd* map = mapOf(layer, stream);
            packRounded(map == nullptr ? std::vector<double>(rows.begin(), rows.end())
                                       : foldMap(*map, rows, hidden, pool_),
                        firstRow(stream) - first, kv);
            if (map == nullptr || target.qkv_bias.empty())
                continue;
            float* bias = target.qkv_bias.data() + firstRow(stream);
            const auto width = static_cast<size_t>(config_.kvWidth());
            const std::vector<float> folded = roundedTo(dtype_, foldMap(*map, {bias, width}, 1, pool_));
            std::copy(folded.begin(), folded.end(), bias);
        }
        target.kv = std::move(kv);
    }

    void addLora(int64_t layer, bool folded, LayerVariant& target) {
        std::vector<PackedLora::Part> qkv;
        std::vector<PackedLora::Part> o;
        for (const LoraModule& module : adapter_->modules) {
            if (module.layer != layer)
                continue;
            if (module.linear == AttentionLinear::o)
                o.push_back({&module, nullptr, 0});
            else if (module.linear == AttentionLinear::q)
                qkv.push_back({&module, nullptr, 0});
            else
                qkv.push_back(kvPart(module, folded));
        }
        if (!qkv.empty())
            target.qkv_lora = std::make_shared<const PackedLora>(qkv, config_.hidden_size, pool_);
        if (!o.empty() && target.o_lora == nullptr)
            target.o_lora = std::make_shared<const PackedLora>(o, queryRows(), pool_);
    }

    PackedLora::Part kvPart(const LoraModule& module, bool folded) const {
        const KvStream stream = module.linear == AttentionLinear::k ? KvStream::k : KvStream::v;
        return {&module, folded ? mapOf(module.layer, stream) : nullptr, firstRow(stream)};
    }

    const ModelConfig& config_;
    DType dtype_;
    const PackedWeights& weights_;
    ThreadPool& pool_;
    const JobContext& context_;
    const Projection* projection_ = nullptr;
    const LoraAdapter* adapter_ = nullptr;
};

int64_t bytesOf(const ModelVariant& variant, std::set<const void*>& counted) {
    int64_t total = 0;
    for (const LayerVariant& layer : variant.layers) {
        for (const auto* matrix : {&layer.kv, &layer.k_map, &layer.v_map})
            total += *matrix ? (*matrix)->bytes() : 0;
        for (const auto* lora : {&layer.qkv_lora, &layer.o_lora})
            if (*lora != nullptr && counted.insert(lora->get()).second)
                total += (*lora)->bytes();
    }
    return total;
}

}  // namespace

int64_t firstReplacedRow(const ModelConfig& config) {
    return config.num_attention_heads * config.head_dim / kLanes * kLanes;
}

PackedInterventions::PackedInterventions(const ModelConfig& config, DType dtype, const PackedWeights& weights,
                                         std::span<const Intervention> interventions, ThreadPool& pool,
                                         const JobContext& context) {
    for (const Intervention& intervention : interventions) {
        checkFits(intervention, config);
        VariantBuilder builder(config, dtype, weights, intervention, pool, context);
        const std::shared_ptr<const ModelVariant> plain = builder.unprojected();
        Entry entry = {plain, plain};
        if (intervention.projection) {
            const std::shared_ptr<const ModelVariant> projected = builder.projected(plain.get());
            const ProjectWhen when = intervention.projection->when;
            if (when != ProjectWhen::decode_only)
                entry.in_prompt = projected;
            if (when != ProjectWhen::prefill_only)
                entry.after_prompt = projected;
        }
        entries_.push_back(std::move(entry));
    }
}

const ModelVariant* PackedInterventions::variant(int32_t intervention, bool in_prompt) const {
    if (intervention == kNone)
        return nullptr;
    if (intervention < 0 || intervention >= size())
        throw Error(ErrorKind::internal,
                    fmt::format("a row names intervention {} of {}", intervention, size()));
    const Entry& entry = entries_[static_cast<size_t>(intervention)];
    return (in_prompt ? entry.in_prompt : entry.after_prompt).get();
}

int64_t PackedInterventions::bytes() const {
    int64_t total = 0;
    std::set<const void*> counted;
    for (const Entry& entry : entries_)
        for (const auto* variant : {&entry.in_prompt, &entry.after_prompt})
            if (*variant != nullptr && counted.insert(variant->get()).second)
                total += bytesOf(**variant, counted);
    return total;
}

}  // namespace spd
