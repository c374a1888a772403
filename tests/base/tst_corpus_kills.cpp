// A corpus that is killed at random moments or cut anywhere ends with the bytes of one that was not.

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTest>
#include <chrono>
#include <cstdio>
#include <random>

#include "core/base/error.h"
#include "tests/support/corpus_job.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
namespace fs = std::filesystem;

namespace {

size_t countFiles(const fs::path& folder) {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

/// Runs the job in a child that is killed after `delay`, if it still lives. @return true when it was killed
bool runAndKill(const CorpusJob& job, const fs::path& out, uint32_t seed, std::chrono::microseconds delay) {
    const pid_t child = ::fork();
    if (child == 0) {
        try {
            job.run(out, seed);
        } catch (const Error& error) {
            std::fprintf(stderr, "%s\n", error.what());
            ::_exit(1);
        }
        ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(delay.count()));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFSIGNALED(status) && WEXITSTATUS(status) != 0)
        qFatal("the job failed");
    return WIFSIGNALED(status);
}

}  // namespace

class TestCorpusKills : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void killedAtRandomMoments() {
        const CorpusJob job(12);
        std::mt19937 generator(11);
        const auto random = [&] { return static_cast<uint32_t>(generator()); };
        int kills = 0;
        int files = 0;
        int64_t records_kept = 0;
        std::chrono::microseconds whole{0};  // how long the job takes when nobody ends it
        {
            const TemporaryFolder folder;
            const auto start = std::chrono::steady_clock::now();
            job.run(folder / "x.jsonl", 0);
            whole = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                                          start);
        }
        while (kills < 150) {
            const TemporaryFolder folder;
            const fs::path out = folder / "x.jsonl";
            while (!fs::exists(out)) {
                const auto longest = static_cast<uint32_t>(whole.count() * 12 / 10 + 500);
                if (!runAndKill(job, out, random(), std::chrono::microseconds(random() % longest)))
                    continue;
                ++kills;
                const std::string partial = contentOf(folder / "x.partial.jsonl");
                records_kept += std::count(partial.begin(), partial.end(), '\n');
            }
            job.run(out, random());
            QCOMPARE(contentOf(out), job.expected());
            QCOMPARE(countFiles(folder.path()), size_t{2});
            ++files;
        }
        std::printf("measured: %d kills over %d files, %lld records found again; every file equal\n", kills,
                    files, static_cast<long long>(records_kept));
    }

    void cutAtEveryByte() {
        const CorpusJob job(5);
        const TemporaryFolder made(TemporaryFolder::On::memory);
        job.run(made / "x.jsonl", 3, false, 4);
        const std::string meta = contentOf(made / "x.meta.json");
        const std::string partial = contentOf(made / "x.partial.jsonl");
        for (size_t size = 0; size <= partial.size(); ++size) {
            const TemporaryFolder folder(TemporaryFolder::On::memory);
            folder.put("x.meta.json", meta);
            const std::string kept = partial.substr(0, size);
            folder.put("x.partial.jsonl", kept);
            const auto whole_lines = static_cast<int>(std::count(kept.begin(), kept.end(), '\n'));
            QCOMPARE(job.run(folder / "x.jsonl", 4), 5 - whole_lines);
            QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
            QCOMPARE(countFiles(folder.path()), size_t{2});
        }
        std::printf("measured: cut at each of %zu offsets, every file equal\n", partial.size() + 1);
    }

    /// A lost block of a file that was not synced yet reads as zeros, and a line end may be there by chance.
    void anUnsyncedTailIsCut() {
        const CorpusJob job(5);
        const TemporaryFolder made(TemporaryFolder::On::memory);
        job.run(made / "x.jsonl", 3, false, 3);
        const std::string partial = contentOf(made / "x.partial.jsonl");
        const size_t last = partial.rfind('\n', partial.size() - 2) + 1;
        int tails = 0;
        for (size_t from = last; from < partial.size(); ++from)
            for (const std::string end : {"", "\n"}) {
                const TemporaryFolder folder(TemporaryFolder::On::memory);
                folder.put("x.meta.json", contentOf(made / "x.meta.json"));
                folder.put("x.partial.jsonl",
                           partial.substr(0, from) + std::string(partial.size() - from, '\0') + end);
                QCOMPARE(job.run(folder / "x.jsonl", 4), 3);
                QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
                ++tails;
            }
        std::printf("measured: %d tails of zeros cut\n", tails);
    }

    void temporariesOfAKilledFinishAreRemovedOthersStay() {
        const CorpusJob job(3);
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        job.run(folder / "x.jsonl", 3, false, 2);
        folder.put(".x.jsonl.tmp-aBc123", "half");
        folder.put(".x.meta.json.tmp-aBc123", "half");
        folder.put(".y.jsonl.tmp-aBc123", "another's");
        folder.put(".x.jsonl.tmp-mine-not-ours", "mine");
        job.run(folder / "x.jsonl", 3);
        QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
        QCOMPARE(countFiles(folder.path()), size_t{4});
    }

    /// RLIMIT_FSIZE stands for a full disk: the record that does not fit is reported, the ones before it
    /// stay.
    void aWriteThatFailsLosesNothing() {
        const CorpusJob job(30);
        int failures = 0;
        for (rlim_t limit = 700; limit < 4000; limit += 150) {
            const TemporaryFolder folder(TemporaryFolder::On::memory);
            const pid_t child = ::fork();
            if (child == 0) {
                ::signal(SIGXFSZ, SIG_IGN);
                const rlimit size = {limit, limit};
                ::setrlimit(RLIMIT_FSIZE, &size);
                try {
                    job.run(folder / "x.jsonl", 1);
                } catch (const Error& error) {
                    const bool told = std::string(error.what()).find("x.partial.jsonl: cannot write: ") !=
                                      std::string::npos;
                    ::_exit(told ? error.exitCode() : 9);
                }
                ::_exit(0);
            }
            int status = 0;
            ::waitpid(child, &status, 0);
            QCOMPARE(WEXITSTATUS(status), 1);
            ++failures;
            const std::string partial = contentOf(folder / "x.partial.jsonl");
            QVERIFY(partial.empty() || partial.ends_with('\n'));
            const int kept = static_cast<int>(std::count(partial.begin(), partial.end(), '\n'));
            QCOMPARE(job.run(folder / "x.jsonl", 2), 30 - kept);
            QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
        }
        std::printf("measured: %d writes over a size limit reported, none lost a record\n", failures);
    }

    /// The kill between the rename and the removal of the partial file.
    void bothFilesOfTheSameCommand() {
        const CorpusJob job(4);
        const TemporaryFolder folder(TemporaryFolder::On::memory);
        job.run(folder / "x.jsonl", 3);
        folder.put("x.partial.jsonl", job.expected());
        QCOMPARE(job.run(folder / "x.jsonl", 3), 0);
        QCOMPARE(contentOf(folder / "x.jsonl"), job.expected());
        QCOMPARE(countFiles(folder.path()), size_t{2});
    }
};

QTEST_GUILESS_MAIN(TestCorpusKills)
#include "tst_corpus_kills.moc"
