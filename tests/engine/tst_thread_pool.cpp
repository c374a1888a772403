// The threads behind every loop of generation: each item once, however short or long the loop; an end at any
// moment; threads that the system does not give.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTest>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/kernels/thread_pool.h"

using namespace spd;

namespace {

/// Bytes of address space that this process has mapped.
uint64_t mappedBytes() {
    uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

enum ChildExit { refused_in_a_line = 0, started = 1, other_error = 2, no_limit = 3 };

/// Asks for `threads` threads with room for some tens of their stacks. Ends the process.
[[noreturn]] void startInLittleMemory(int threads) {
    const uint64_t bytes = mappedBytes() + (uint64_t{400} << 20);
    const rlimit limit = {bytes, bytes};
    alarm(60);  // a hang ends as a signal
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        _exit(no_limit);
    try {
        const ThreadPool pool(threads);
        _exit(started);
    } catch (const Error& error) {
        const std::string text = error.what();
        const bool clear = error.kind() == ErrorKind::out_of_memory && text.find('\n') == std::string::npos &&
                           text.find(std::to_string(threads)) != std::string::npos &&
                           text.find("threads") != std::string::npos;
        _exit(clear ? refused_in_a_line : other_error);
    } catch (...) {
        _exit(other_error);
    }
}

/// Runs a loop of `count` items and says whether each was computed once, on a thread of the pool.
bool runsEachOnce(ThreadPool& pool, int64_t count) {
    std::vector<std::atomic<uint8_t>> hits(static_cast<size_t>(count));
    std::atomic<int> strangers = 0;
    pool.run(count, [&](int thread, int64_t item) {
        if (thread < 0 || thread >= pool.size() || item < 0 || item >= count)
            ++strangers;
        else
            ++hits[static_cast<size_t>(item)];
    });
    return strangers == 0 &&
           std::all_of(hits.begin(), hits.end(), [](const auto& hit) { return hit.load() == 1; });
}

}  // namespace

class TestThreadPool : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tinyLoopsRunEveryItemOnce();
    void loopsAfterAPauseRunEveryItemOnce();
    void largestLoopRunsAndALargerOneIsRefused();
    void endsRightAfterItBegan();
    void threadsThatCannotStartAreAnError();
};

void TestThreadPool::tinyLoopsRunEveryItemOnce() {
    for (const int threads : {1, 2, 4, 9}) {
        ThreadPool pool(threads);
        QCOMPARE(pool.size(), threads);
        // Plain numbers, written by whoever computes the item and read after run().
        std::vector<int64_t> sums(37, 0);
        std::vector<int64_t> expected(37, 0);
        for (int64_t round = 0; round < 25'000; ++round) {
            const int64_t count = round % 37;
            pool.run(count, [&](int, int64_t item) { sums[static_cast<size_t>(item)] += round + item; });
            for (int64_t item = 0; item < count; ++item)
                expected[static_cast<size_t>(item)] += round + item;
            if (sums != expected)
                QFAIL(qPrintable(QString("%1 threads, loop %2").arg(threads).arg(round)));
        }
    }
}

void TestThreadPool::loopsAfterAPauseRunEveryItemOnce() {
    ThreadPool pool(3);
    for (int round = 0; round < 300; ++round) {
        usleep(static_cast<useconds_t>(round * 3));  // around the moment when idle threads go to sleep
        QVERIFY(runsEachOnce(pool, 1 + round % 7));
    }
}

void TestThreadPool::largestLoopRunsAndALargerOneIsRefused() {
    QCOMPARE(ThreadPool::kMostItems, (int64_t{1} << 20) - 1);
    for (const int threads : {1, 3}) {
        ThreadPool pool(threads);
        QVERIFY(runsEachOnce(pool, ThreadPool::kMostItems));
        int calls = 0;
        try {
            pool.run(ThreadPool::kMostItems + 1, [&](int, int64_t) { ++calls; });
            QFAIL("a loop of 2^20 items was taken");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::internal);
            QVERIFY(std::string(error.what()).find("1048576") != std::string::npos);
        }
        QCOMPARE(calls, 0);
        QVERIFY(runsEachOnce(pool, 1000));  // and it goes on
    }
}

void TestThreadPool::endsRightAfterItBegan() {
    const auto start = std::chrono::steady_clock::now();
    int64_t total = 0;
    for (int round = 0; round < 10'000; ++round) {
        ThreadPool pool(3);
        std::atomic<int64_t> sum = 0;
        if (round % 3 == 1)
            pool.run(5, [&](int, int64_t item) { sum += item; });
        else if (round % 300 == 2)
            usleep(300);  // its threads sleep when the end comes
        total += sum;
    }
    QCOMPARE(total, int64_t{3333 * 10});
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("measured: 10,000 pools of 3 threads began and ended in %.2f s\n", seconds.count());
}

void TestThreadPool::threadsThatCannotStartAreAnError() {
    for (int round = 0; round < 5; ++round) {
        const pid_t child = fork();
        QVERIFY(child >= 0);
        if (child == 0)
            startInLittleMemory(1024);
        int status = 0;
        QCOMPARE(waitpid(child, &status, 0), child);
        QVERIFY2(WIFEXITED(status), "the child hung, or a signal ended it");
        QCOMPARE(WEXITSTATUS(status), static_cast<int>(refused_in_a_line));
    }
}

QTEST_GUILESS_MAIN(TestThreadPool)
#include "tst_thread_pool.moc"
