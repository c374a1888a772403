#include "core/generate/method_presets.h"

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

}  // namespace spd
