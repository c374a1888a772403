#pragma once

#include <cstddef>

namespace spd::test {

// A program that links allocation_meter.cpp counts what operator new hands out.

/// Starts counting anew: the peak is what is held above the present.
void startMeter();
/// Most bytes held at once since startMeter().
size_t meteredPeak();

}  // namespace spd::test
