// rope_driver FOLDER...: for each checkpoint folder one line, the bits of the inverse frequencies as
// integers. Seam of tests/oracle/test_rope.py.

#include <bit>
#include <cstdint>
#include <cstdio>
#include <exception>

#include "core/io/model_config.h"
#include "core/model/rope.h"

int main(int argc, char** argv) {
    try {
        for (int i = 1; i < argc; ++i) {
            for (const float frequency : spd::ropeInverseFrequencies(spd::readModelConfig(argv[i])))
                std::printf("%u ", std::bit_cast<uint32_t>(frequency));
            std::printf("\n");
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
