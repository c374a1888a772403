// sampler_driver < cases > results: what warpLogits() and sampleToken() do, for tests/oracle/test_sampler.py.
// A case, in host byte order: eight 64-bit words (vocabulary, ids in the context, greedy, top_k, noise seed,
// prompt id, token index, bytes of the mask: 0 or vocabulary), four doubles (repetition_penalty, temperature,
// top_p, min_p), then float logits[vocabulary], int32 context[...], uint8 mask[...].
// A result: int32 token, float scores[vocabulary].

#include <array>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "core/generate/sampler.h"

namespace {

template <class Values>
bool read(Values& values) {
    return std::fread(values.data(), sizeof(values[0]), values.size(), stdin) == values.size();
}

}  // namespace

int main() {
    spd::SamplerScratch scratch;
    std::array<int64_t, 8> integers;
    std::array<double, 4> numbers;
    while (read(integers)) {
        std::vector<float> logits(static_cast<size_t>(integers[0]));
        std::vector<int32_t> context(static_cast<size_t>(integers[1]));
        std::vector<uint8_t> allowed(static_cast<size_t>(integers[7]));
        if (!read(numbers) || !read(logits) || !read(context) || !read(allowed))
            return 1;
        const spd::SamplingSettings settings = {.greedy = integers[2] != 0,
                                                .repetition_penalty = numbers[0],
                                                .temperature = numbers[1],
                                                .top_k = integers[3],
                                                .top_p = numbers[2],
                                                .min_p = numbers[3]};
        settings.validate();
        std::vector<float> scores = logits;
        spd::warpLogits(scores, settings, context, allowed, scratch);
        const uint64_t key = spd::noiseKey(static_cast<uint64_t>(integers[4]), integers[5]);
        const int32_t token = spd::sampleToken(logits, settings, context, key,
                                               static_cast<uint64_t>(integers[6]), allowed, scratch);
        std::fwrite(&token, sizeof token, 1, stdout);
        std::fwrite(scores.data(), sizeof(float), scores.size(), stdout);
    }
    return 0;
}
