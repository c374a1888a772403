#include "core/generate/method_presets.h"

namespace spd {

SamplingSettings samplingOf(Method method) {
    SamplingSettings sampling;
    if (method == Method::ssd) {
        sampling.temperature = 1.6;
        sampling.top_k = 20;
        sampling.top_p = 0.8;
    }
    return sampling;
}

}  // namespace spd
