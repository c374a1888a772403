#include "core/model/packed_weights.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <string>

namespace spd {

namespace {

/// Reads and packs tensors of one checkpoint. Rows of several tensors may be stacked in one matrix.
class WeightLoader {
public:
    WeightLoader(const Checkpoint& checkpoint, DType dtype, ThreadPool& pool, const JobContext& context)
        : checkpoint_(checkpoint), dtype_(dtype), pool_(pool), context_(context) {}

    struct Part {
        std::string name;
        int64_t rows;
    };

    PackedMatrix matrix(const std::vector<Part>& parts, int64_t in) {
        int64_t out = 0;
        for (const Part& part : parts)
            out += part.rows;
        PackedMatrix matrix(out, in, dtype_);
        int64_t first = 0;
        for (const Part& part : parts) {
            packPart(part, first, matrix);
            first += part.rows;
        }
        return matrix;
    }

    /// Stacked vectors as float32, rounded to the compute type first, padded to 16.
    std::vector<float> vector(const std::vector<Part>& parts) {
        std::vector<float> out;
        for (const Part& part : parts) {
            const std::vector<float> values = roundedVector(part);
            out.insert(out.end(), values.begin(), values.end());
        }
        out.resize(static_cast<size_t>(roundUpToLanes(static_cast<int64_t>(out.size()))), 0.0f);
        return out;
    }

private:
    static constexpr int64_t kChunkBytes = int64_t{1} << 20;

    void packPart(const Part& part, int64_t first_row, PackedMatrix& matrix) {
        context_.checkStop();
        const int64_t row_bytes = matrix.in() * bytesPerElement(dtype_);
        const int64_t chunk = std::max<int64_t>(kLanes, kChunkBytes / row_bytes / kLanes * kLanes);
        const int64_t chunks = (part.rows + chunk - 1) / chunk;
        std::exception_ptr failure;
        std::mutex failure_mutex;
        pool_.run(chunks, [&](int, int64_t item) {
            if (context_.stop.stop_requested())
                return;
            try {
                const int64_t row = item * chunk;
                const int64_t count = std::min(chunk, part.rows - row);
                std::vector<float> rows(static_cast<size_t>(count * row_bytes / 4 + 1));
                checkpoint_.read(part.name, row * matrix.in(), count * matrix.in(), dtype_, rows.data());
                matrix.packRows(first_row + row, count, rows.data());
            } catch (...) {
                const std::lock_guard lock(failure_mutex);
                failure = std::current_exception();
            }
        });
        if (failure)
            std::rethrow_exception(failure);
        context_.checkStop();
    }

    std::vector<float> roundedVector(const Part& part) {
        std::vector<float> values(static_cast<size_t>(part.rows));
        if (dtype_ == DType::float32) {
            checkpoint_.read(part.name, 0, part.rows, DType::float32, values.data());
            return values;
        }
        std::vector<uint16_t> halves(values.size());
        checkpoint_.read(part.name, 0, part.rows, dtype_, halves.data());
        if (dtype_ == DType::float16) {
            kernelTable(Isa::portable).from_float16(halves.data(), part.rows, values.data());
        } else {
            for (size_t i = 0; i < values.size(); ++i)
                values[i] = fromBFloat16(halves[i]);
        }
        return values;
    }

    const Checkpoint& checkpoint_;
    DType dtype_;
    ThreadPool& pool_;
    const JobContext& context_;
};

DecoderLayerWeights loadLayer(WeightLoader& loader, const ModelConfig& config, int64_t layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    const std::string attention = prefix + "self_attn.";
    const std::string mlp = prefix + "mlp.";
    const int64_t q_rows = config.num_attention_heads * config.head_dim;
    const int64_t kv_rows = config.kvWidth();
    const int64_t hidden = config.hidden_size;
    const int64_t ff = config.intermediate_size;

    DecoderLayerWeights w;
    w.input_norm = loader.vector({{prefix + "input_layernorm.weight", hidden}});
    w.qkv = loader.matrix({{attention + "q_proj.weight", q_rows},
                           {attention + "k_proj.weight", kv_rows},
                           {attention + "v_proj.weight", kv_rows}},
                          hidden);
    if (config.qkv_bias)
        w.qkv_bias = loader.vector({{attention + "q_proj.bias", q_rows},
                                    {attention + "k_proj.bias", kv_rows},
                                    {attention + "v_proj.bias", kv_rows}});
    if (config.qk_norm) {
        w.q_norm = loader.vector({{attention + "q_norm.weight", config.head_dim}});
        w.k_norm = loader.vector({{attention + "k_norm.weight", config.head_dim}});
    }
    w.o = loader.matrix({{attention + "o_proj.weight", hidden}}, q_rows);
    if (config.o_bias)
        w.o_bias = loader.vector({{attention + "o_proj.bias", hidden}});
    w.post_attention_norm = loader.vector({{prefix + "post_attention_layernorm.weight", hidden}});
    w.gate_up = loader.matrix({{mlp + "gate_proj.weight", ff}, {mlp + "up_proj.weight", ff}}, hidden);
    w.down = loader.matrix({{mlp + "down_proj.weight", hidden}}, ff);
    if (config.mlp_bias) {
        w.gate_up_bias = loader.vector({{mlp + "gate_proj.bias", ff}, {mlp + "up_proj.bias", ff}});
        w.down_bias = loader.vector({{mlp + "down_proj.bias", hidden}});
    }
    return w;
}

}  // namespace

PackedWeights loadPackedWeights(const Checkpoint& checkpoint, DType dtype, ThreadPool& pool,
                                const JobContext& context) {
    const ModelConfig& config = checkpoint.config();
    WeightLoader loader(checkpoint, dtype, pool, context);
    PackedWeights weights;
    const std::string embedding = "model.embed_tokens.weight";
    if (!config.tie_word_embeddings)
        weights.untied_embedding = loader.matrix({{embedding, config.vocab_size}}, config.hidden_size);
    for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer)
        weights.layers.push_back(loadLayer(loader, config, layer));
    weights.final_norm = loader.vector({{"model.norm.weight", config.hidden_size}});
    weights.head = loader.matrix(
        {{config.tie_word_embeddings ? embedding : "lm_head.weight", config.vocab_size}}, config.hidden_size);
    checkpoint.checkUnchanged();
    return weights;
}

}  // namespace spd
