#include "core/kernels/thread_pool.h"

#include <fmt/format.h>

#include <stop_token>
#include <system_error>

#include "core/base/error.h"

namespace spd {

namespace {

constexpr int kCountBits = 20;
constexpr uint64_t kCountMask = (uint64_t{1} << kCountBits) - 1;
constexpr int kSpins = 4000;  // about 50 to 100 microseconds of pauses

uint64_t nextItem(uint64_t state) {
    return state & kCountMask;
}
uint64_t itemCount(uint64_t state) {
    return (state >> kCountBits) & kCountMask;
}
uint64_t epoch(uint64_t state) {
    return state >> (2 * kCountBits);
}
bool hasWork(uint64_t state) {
    return nextItem(state) < itemCount(state);
}

void pauseBriefly() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
    try {
        workers_.reserve(static_cast<size_t>(threads));
        for (int thread = 1; thread < threads; ++thread)
            workers_.emplace_back([this, thread](const std::stop_token& stop) { workerLoop(thread, stop); });
    } catch (const std::system_error& error) {
        endWorkers();  // those that began sleep: nobody else would wake them
        throw Error(ErrorKind::out_of_memory,
                    fmt::format("cannot start {} threads ({}): fewer --threads", threads, error.what()));
    }
}

ThreadPool::~ThreadPool() {
    endWorkers();
}

void ThreadPool::endWorkers() {
    for (std::jthread& worker : workers_)
        worker.request_stop();
    state_.store((epoch(state_.load()) + 1) << (2 * kCountBits));
    state_.notify_all();
    workers_.clear();
}

bool ThreadPool::claim(int64_t& item) {
    uint64_t state = state_.load(std::memory_order_acquire);
    while (hasWork(state)) {
        if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire,
                                         std::memory_order_acquire)) {
            item = static_cast<int64_t>(nextItem(state));
            return true;
        }
    }
    return false;
}

void ThreadPool::work(int thread) {
    int64_t item = 0;
    while (claim(item)) {
        call_(body_, thread, item);
        done_.fetch_add(1, std::memory_order_release);
    }
}

void ThreadPool::runErased(int64_t count, const void* body, Call call) {
    if (count > kMostItems)
        throw Error(ErrorKind::internal,
                    fmt::format("a loop of {} items, {} are possible", count, kMostItems));
    if (count <= 1 || workers_.empty()) {
        for (int64_t item = 0; item < count; ++item)
            call(body, 0, item);
        return;
    }
    body_ = body;
    call_ = call;
    done_.store(0, std::memory_order_relaxed);
    const uint64_t next_epoch = (epoch(state_.load(std::memory_order_relaxed)) + 1) << (2 * kCountBits);
    state_.store(next_epoch | (static_cast<uint64_t>(count) << kCountBits), std::memory_order_release);
    state_.notify_all();
    work(0);
    for (int spins = 0; done_.load(std::memory_order_acquire) < count; ++spins) {
        if (spins < kSpins)
            pauseBriefly();
        else
            std::this_thread::yield();
    }
}

void ThreadPool::workerLoop(int thread, const std::stop_token& stop) {
    int spins = 0;
    while (true) {
        // Loaded before the stop is looked for: endWorkers() asks to stop and then changes the state, so a
        // worker that saw no stop waits for a value that is gone or going.
        const uint64_t state = state_.load(std::memory_order_acquire);
        if (stop.stop_requested())
            return;
        if (hasWork(state)) {
            work(thread);
            spins = 0;
        } else if (++spins < kSpins) {
            pauseBriefly();
        } else {
            state_.wait(state, std::memory_order_acquire);
            spins = 0;
        }
    }
}

}  // namespace spd
