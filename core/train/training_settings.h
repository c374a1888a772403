#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace spd {

/// Which tokens the loss counts (paper Eq. 14).
enum class CountedTokens {
    full,             ///< every token but the first, prompt included
    completion_only,  ///< those of the completion
};

/// Whether the activations of a layer are kept for the backward pass or computed again.
enum class Recompute {
    automatic,  ///< kept where the forecast fits into the free memory
    off,        ///< kept
    full,       ///< computed again, layer by layer: a third more time
};

std::string_view name(CountedTokens counted);
std::string_view name(Recompute recompute);

/// What name() gives; nothing for other texts.
std::optional<CountedTokens> parseCountedTokens(std::string_view text);
std::optional<Recompute> parseRecompute(std::string_view text);

/// The recipe (paper A.3; defaults are the paper's).
struct TrainingSettings {
    int64_t epochs = 5;
    int64_t batch_size = 8;  ///< sequences of an optimizer step
    double lr = 1e-5;        ///< at the first step; cosine to 0 without warm-up
    int64_t r = 8;
    double alpha = 8;
    double dropout = 0.05;
    double weight_decay = 0.01;
    double max_grad_norm = 1;
    CountedTokens loss = CountedTokens::full;
    Recompute recompute = Recompute::automatic;
    uint64_t seed = 42;

    /// @throws Error invalid_argument, naming the option
    void validate() const;
};

}  // namespace spd
