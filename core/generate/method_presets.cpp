#include "core/generate/method_presets.h"

#include <fmt/format.h>

#include "core/base/error.h"

namespace spd {

SamplingSettings samplingOf(Method method) {
    SamplingSettings sampling;
    if (method == Method::ssd) {
        const Experiment::Generation defaults;
        sampling.temperature = defaults.ssd_temperature;
        sampling.top_k = defaults.ssd_top_k;
        sampling.top_p = defaults.ssd_top_p;
    }
    return sampling;
}

SamplingSettings GivenSampling::over(SamplingSettings start) const {
    if (temperature || top_k || top_p || min_p)
        start.greedy = false;
    if (greedy)
        start.greedy = true;
    start.temperature = temperature.value_or(start.temperature);
    start.top_k = top_k.value_or(start.top_k);
    start.top_p = top_p.value_or(start.top_p);
    start.min_p = min_p.value_or(start.min_p);
    start.repetition_penalty = repetition_penalty.value_or(start.repetition_penalty);
    return start;
}

std::optional<Method> parseSamplingMethod(std::string_view text) {
    for (const Method method : {Method::psr, Method::ssd, Method::spd})
        if (text == name(method))
            return method;
    return std::nullopt;
}

void requireMethodFits(Method method, bool projects) {
    if (projects == (method == Method::spd))
        return;
    throw Error(
        ErrorKind::invalid_argument,
        projects ? fmt::format("--method {} samples without a projection: leave out --subspace", name(method))
                 : "--method spd samples under a projection: --subspace names its folder");
}

}  // namespace spd
