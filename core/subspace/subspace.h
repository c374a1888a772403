#pragma once

#include <Eigen/Core>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/dtype.h"
#include "core/data/prompts.h"

namespace spd {

enum class KvStream { k, v };

constexpr std::string_view name(KvStream stream) {
    return stream == KvStream::k ? "k" : "v";
}

/// Where K is tapped and projected. V is always taken at the output of v_proj.
enum class KvSite {
    proj,       ///< output of k_proj after bias, before k_norm and RoPE
    post_norm,  ///< after k_norm, before RoPE; only models with k_norm have it
    post_rope,  ///< after RoPE: what the cache holds
};

constexpr std::string_view name(KvSite site) {
    return site == KvSite::proj ? "proj" : site == KvSite::post_norm ? "post_norm" : "post_rope";
}

/// One of the things that are measured and projected: K or V of a layer, layers counted from 0.
struct KvTarget {
    int64_t layer = 0;
    KvStream stream = KvStream::k;
    auto operator<=>(const KvTarget&) const = default;
};

/// "11.k", as subspace.json spells it.
std::string toText(const KvTarget& target);
/// Reads what toText() writes; nothing for any other text.
std::optional<KvTarget> parseKvTarget(std::string_view text);

/// The right singular vectors of a gradient matrix G [M, w] by way of its Gram matrix (paper Eq. 8 and 9).
/// w is d = num_key_value_heads x head_dim, or head_dim where each head has a basis of its own.
struct Spectrum {
    Eigen::MatrixXd gram;                    ///< G^T G, [w, w]
    Eigen::VectorXd singular_values;         ///< [w], descending, >= 0
    Eigen::MatrixXd right_singular_vectors;  ///< [w, w], row j belongs to singular_values[j]; its largest
                                             ///< entry by magnitude is positive
    /// Number of s_j >= 1e-6 s_1; rows past it are an arbitrary basis of what is left. 0 when G is zero.
    int64_t numeric_rank = 0;
    double effective_rank = 0;  ///< exp of the entropy of s / sum s
    double stable_rank = 0;     ///< sum s^2 / s_1^2
    /// [w]: entry r - 1 is |V1_r^T V2_r|_F^2 / r of the subspaces of the even and the odd examples; its
    /// chance level is r / w.
    Eigen::VectorXd split_half_overlap;
};

/// What calibration found for one target.
struct TargetSubspace {
    std::vector<Spectrum> heads;  ///< one; with per_head one a KV head
    int64_t rows = 0;             ///< token positions that were summed
    int64_t nonzero_rows = 0;     ///< of these, rows with an entry that is not 0
};

/// One calibration example as it was measured.
struct CalibrationRecord {
    PromptId id;
    int64_t targets = 0;  ///< tokens in the loss
    int64_t tokens = 0;
    double loss = 0;  ///< nats per target token
};

/// Result of calibration: the capability subspaces, and what they were measured on and with. A value.
struct Subspace {
    std::string model_id;
    std::string model_revision;  ///< commit of a Hugging Face cache snapshot, else empty
    std::string config_sha256;   ///< of config.json
    std::string tokenizer_sha256;
    KvSite site = KvSite::proj;  ///< of K
    bool per_head = false;
    std::string loss;  ///< "aligned", "full_sequence" or "full_completion"
    DType dtype = DType::float32;
    int64_t num_hidden_layers = 0;
    std::vector<int64_t> layers;  ///< measured, ascending
    std::map<KvTarget, TargetSubspace> targets;
    std::vector<CalibrationRecord> examples;
};

}  // namespace spd
