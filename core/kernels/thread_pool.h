#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace spd {

/// Threads that share out the items of one loop. Idle threads spin for some tens of microseconds, then sleep,
/// so that the short loops of a decode step start at once and a busy process beside us is not starved. One
/// thread at a time may call run(); which thread computes an item is not fixed, so items must not depend on
/// it.
class ThreadPool {
public:
    /// @param threads  >= 1, the calling thread included. @throws Error out_of_memory when they cannot be
    /// started
    explicit ThreadPool(int threads);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    static constexpr int64_t kMostItems = (int64_t{1} << 20) - 1;

    int size() const { return static_cast<int>(workers_.size()) + 1; }

    /// Calls body(thread, item) for every item in [0, count), 0 <= thread < size(); returns when all are
    /// done. The body must not throw and must not call run().
    /// @param count  at most kMostItems. @throws Error internal
    template <class Body>
    void run(int64_t count, const Body& body) {
        runErased(count, &body, [](const void* erased, int thread, int64_t item) {
            (*static_cast<const Body*>(erased))(thread, item);
        });
    }

private:
    using Call = void (*)(const void* body, int thread, int64_t item);

    void endWorkers();
    void runErased(int64_t count, const void* body, Call call);
    bool claim(int64_t& item);
    void work(int thread);
    void workerLoop(int thread, const std::stop_token& stop);

    // Immutable while a loop runs; published by the release store to state_.
    const void* body_ = nullptr;
    Call call_ = nullptr;

    // epoch (24 bits), number of items (20 bits), next item (20 bits): one word, so that a thread that wakes
    // late can only claim an item of the loop whose body it then reads.
    alignas(64) std::atomic<uint64_t> state_ = 0;
    alignas(64) std::atomic<int64_t> done_ = 0;
    std::vector<std::jthread> workers_;
};

}  // namespace spd
