#include "core/train/training_settings.h"

#include <fmt/format.h>

#include <cmath>

#include "core/base/error.h"

namespace spd {
namespace {

void require(bool holds, const char* option, const char* rule) {
    if (!holds)
        throw Error(ErrorKind::invalid_argument, fmt::format("{}: must be {}", option, rule));
}

}  // namespace

std::string_view name(CountedTokens counted) {
    return counted == CountedTokens::full ? "full" : "completion_only";
}

std::string_view name(Recompute recompute) {
    if (recompute == Recompute::automatic)
        return "auto";
    return recompute == Recompute::off ? "off" : "full";
}

std::optional<CountedTokens> parseCountedTokens(std::string_view text) {
    for (const CountedTokens counted : {CountedTokens::full, CountedTokens::completion_only})
        if (text == name(counted))
            return counted;
    return std::nullopt;
}

std::optional<Recompute> parseRecompute(std::string_view text) {
    for (const Recompute recompute : {Recompute::automatic, Recompute::off, Recompute::full})
        if (text == name(recompute))
            return recompute;
    return std::nullopt;
}

void TrainingSettings::validate() const {
    constexpr int64_t kMost = 1'000'000'000;  // products of two stay far inside 64 bits
    require(epochs >= 1 && epochs <= kMost, "--epochs", "a whole number from 1");
    require(batch_size >= 1 && batch_size <= kMost, "--batch-size", "a whole number from 1");
    require(std::isfinite(lr) && lr > 0, "--lr", "above 0");
    require(r >= 1 && r <= 4096, "--r", "a whole number from 1 to 4096");
    require(std::isfinite(alpha) && alpha > 0, "--alpha", "above 0");
    require(dropout >= 0 && dropout < 1, "--dropout", "at least 0 and below 1");
    require(std::isfinite(weight_decay) && weight_decay >= 0, "--weight-decay", "at least 0");
    require(std::isfinite(max_grad_norm) && max_grad_norm > 0, "--max-grad-norm", "above 0");
}

}  // namespace spd
