#include "tests/support/allocation_meter.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<size_t> held = 0;
std::atomic<size_t> most_held = 0;
std::atomic<size_t> held_at_start = 0;

void* allocateOrNull(size_t bytes) noexcept {
    void* memory = std::malloc(bytes);
    if (memory == nullptr)
        return nullptr;
    const size_t now = held += malloc_usable_size(memory);
    size_t before = most_held;
    while (before < now && !most_held.compare_exchange_weak(before, now)) {
    }
    return memory;
}

void* allocate(size_t bytes) {
    void* memory = allocateOrNull(bytes);
    if (memory == nullptr)
        throw std::bad_alloc();
    return memory;
}

void release(void* memory) {
    if (memory != nullptr)
        held -= malloc_usable_size(memory);
    std::free(memory);
}

}  // namespace

void* operator new(size_t bytes) {
    return allocate(bytes);
}
void* operator new[](size_t bytes) {
    return allocate(bytes);
}
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
    return allocateOrNull(bytes);
}
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept {
    return allocateOrNull(bytes);
}
void operator delete(void* memory) noexcept {
    release(memory);
}
void operator delete[](void* memory) noexcept {
    release(memory);
}
void operator delete(void* memory, size_t) noexcept {
    release(memory);
}
void operator delete[](void* memory, size_t) noexcept {
    release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
    release(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
    release(memory);
}

namespace spd::test {

void startMeter() {
    held_at_start = held.load();
    most_held = held.load();
}

size_t meteredPeak() {
    return most_held - held_at_start;
}

}  // namespace spd::test
