#include "core/calibrate/calibration_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "core/base/error.h"

namespace spd {
namespace {

template <class Value>
Value parseWord(std::string_view what, std::string_view text, std::initializer_list<Value> values) {
    std::vector<std::string_view> words;
    for (const Value value : values) {
        if (text == name(value))
            return value;
        words.push_back(name(value));
    }
    throw Error(ErrorKind::invalid_argument,
                fmt::format("{} \"{}\": must be one of {}", what, printable(text), fmt::join(words, ", ")));
}

}  // namespace

CalibrationLoss parseCalibrationLoss(std::string_view text) {
    return parseWord(
        "loss", text,
        {CalibrationLoss::aligned, CalibrationLoss::full_sequence, CalibrationLoss::full_completion});
}

KvSite parseKvSite(std::string_view text) {
    return parseWord("site", text, {KvSite::proj, KvSite::post_norm, KvSite::post_rope});
}

void checkFits(const CalibrationSettings& settings, const ModelConfig& config) {
    if (settings.site == KvSite::post_norm && !config.qk_norm)
        throw Error(ErrorKind::invalid_argument, "site post_norm: the model has no k_norm");
    const auto& layers = settings.layers;
    if (layers.empty() || layers.front() < 0 || layers.back() >= config.num_hidden_layers ||
        std::adjacent_find(layers.begin(), layers.end(), std::greater_equal<>()) != layers.end())
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("layers: must rise from 0 to {}", config.num_hidden_layers - 1));
}

std::vector<int64_t> lossPositions(const CalibrationExample& example, CalibrationLoss loss) {
    if (loss == CalibrationLoss::aligned)
        return example.target_positions;
    if (loss == CalibrationLoss::full_completion && example.prompt_tokens == CalibrationExample::kUnknown)
        throw Error(ErrorKind::invalid_argument,
                    fmt::format("loss full_completion: example {} came as ids, which do not say where the "
                                "completion begins",
                                printable(toText(example.id))));
    const int64_t first =
        loss == CalibrationLoss::full_sequence ? 1 : std::max<int64_t>(1, example.prompt_tokens);
    std::vector<int64_t> positions(example.input_ids.size() - static_cast<size_t>(first));
    std::iota(positions.begin(), positions.end(), first);
    return positions;
}

}  // namespace spd
