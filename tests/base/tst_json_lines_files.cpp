// readJsonLines on large files: block borders, the longest line, memory; on files that change or are none; on
// the data sets.

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QTest>
#include <cstdio>
#include <random>
#include <sstream>

#include "tests/support/json_lines_outcome.h"
#include "tests/support/refusal.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
using namespace std::string_literals;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

/// Peak memory in bytes of a child process that reads the file; the reading's verdict in `refused`.
int64_t peakMemory(const fs::path& path, bool& refused) {
    const pid_t child = ::fork();
    if (child == 0) {
        const Outcome outcome = read(path);
        ::_exit(outcome.message.empty() ? 0 : 3);
    }
    int status = 0;
    rusage usage = {};
    ::wait4(child, &status, 0, &usage);
    refused = WIFEXITED(status) && WEXITSTATUS(status) == 3;
    return int64_t{usage.ru_maxrss} * 1024;
}

/// A file of `size` bytes without any line end, as one string that is never closed.
fs::path putLongLine(const TemporaryFolder& folder, int64_t size) {
    const fs::path path = folder / "long.jsonl";
    std::ofstream file(path, std::ios::binary);
    const std::string block(size_t{1} << 20, 'a');
    file << "{\"a\":\"";
    for (int64_t written = 6; written < size; written += static_cast<int64_t>(block.size()))
        file << block.substr(0, static_cast<size_t>(std::min<int64_t>(size - written, 1 << 20)));
    return path;
}

}  // namespace

class TestJsonLinesFiles : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// Lines about as long as the reader's blocks, against std::getline.
    void linesAcrossBlocks() {
        const TemporaryFolder folder;
        std::mt19937 random(7);
        int rows = 0;
        for (int file = 0; file < 20; ++file) {
            std::string content;
            while (content.size() < 1'500'000) {
                const int near_block = 262'144 - 10 + static_cast<int>(random() % 20);
                const int length = random() % 3 == 0 ? near_block : static_cast<int>(random() % 70'000);
                content += "{\"a\":\"" + std::string(static_cast<size_t>(length), 'a') + "\"}";
                content += random() % 4 == 0 ? "\r\n" : random() % 4 == 0 ? "\n\n" : "\n";
            }
            const Outcome outcome = read(folder.put("a.jsonl", content));
            QCOMPARE(outcome.message, ""s);
            std::istringstream reference(content);
            size_t next = 0;
            std::string line;
            for (int64_t number = 0; std::getline(reference, line); ++number) {
                if (line.ends_with('\r'))
                    line.pop_back();
                if (line.empty())
                    continue;
                QVERIFY(next < outcome.rows.size());
                QCOMPARE(outcome.rows[next].first, number);
                QVERIFY(outcome.rows[next++].second == line);
                ++rows;
            }
            QCOMPARE(next, outcome.rows.size());
        }
        std::printf("measured: %d rows across block borders equal std::getline's\n", rows);
    }

    void longestLineIsTakenALongerOneIsSkipped() {
        const TemporaryFolder folder;
        const std::string longest =
            "{\"a\":\"" + std::string(static_cast<size_t>(kMaxJsonLine) - 8, 'a') + "\"}";
        QCOMPARE(static_cast<int64_t>(longest.size()), kMaxJsonLine);
        const Outcome taken = read(folder.put("a.jsonl", "{}\n" + longest + "\n{}\n"));
        QCOMPARE(taken.message, ""s);
        QCOMPARE(taken.rows.size(), size_t{3});
        QVERIFY(taken.rows[1].second == longest);
        const Outcome skipped = read(folder.put("b.jsonl", "{}\n" + longest + " \n{\"b\":1}\n"));
        QVERIFY2(
            skipped.message.find("line 2: 67108865 bytes long from byte 3 of the file") != std::string::npos,
            skipped.message.c_str());
        QCOMPARE(skipped.rows.size(), size_t{2});
        QCOMPARE(skipped.rows[1].second, "{\"b\":1}"s);
    }

    void memoryOnALongLine() {
        const TemporaryFolder folder;
        bool refused = false;
        const int64_t base = peakMemory(folder.put("small.jsonl", "[]\n"), refused);
        QVERIFY(refused);
        const int mebibytes = qEnvironmentVariableIsSet("SPD_LONG_LINE_MIB")
                                  ? qEnvironmentVariableIntValue("SPD_LONG_LINE_MIB")
                                  : 128;
        const int64_t peak = peakMemory(putLongLine(folder, int64_t{mebibytes} << 20), refused);
        QVERIFY(refused);
        std::printf("measured: peak memory for a line of %d MiB: %.1f MiB (%.1f MiB for a line of 2 bytes)\n",
                    mebibytes, static_cast<double>(peak) / 1048576, static_cast<double>(base) / 1048576);
#ifndef __SANITIZE_ADDRESS__
        QVERIFY(peak < int64_t{128} << 20);
#endif
    }

    /// A file is streamed, however many rows it has (L9).
    void memoryOnManyRows() {
        const TemporaryFolder folder;
        const int rows =
            qEnvironmentVariableIsSet("SPD_ROWS") ? qEnvironmentVariableIntValue("SPD_ROWS") : 1'000'000;
        const fs::path path = folder / "many.jsonl";
        std::ofstream file(path, std::ios::binary);
        for (int row = 0; row < rows; ++row)
            file << "{\"a\":" << row << "}\n";
        file.close();
        rusage before = {};
        ::getrusage(RUSAGE_SELF, &before);
        const double start = processorSeconds();
        int64_t sum = 0;
        readJsonLines(path,
                      [&](int64_t line, const Json& row) { sum += row["a"].get<int64_t>() - line + 1; });
        const double seconds = processorSeconds() - start;
        rusage after = {};
        ::getrusage(RUSAGE_SELF, &after);
        QCOMPARE(sum, int64_t{rows});
        const long grown = after.ru_maxrss - before.ru_maxrss;
        std::printf("measured: %d rows streamed in %.2f s, peak memory grown by %ld KiB\n", rows, seconds,
                    grown);
        QVERIFY(grown < 16 * 1024);
    }

    void filesThatChangeAreToldApart_data() {
        QTest::addColumn<int>("change");
        QTest::newRow("appended") << 0;
        QTest::newRow("cut") << 1;
        QTest::newRow("replaced") << 2;
        QTest::newRow("removed") << 3;
        QTest::newRow("rewritten in its size") << 4;
    }
    void filesThatChangeAreToldApart() {
        QFETCH(int, change);
        const TemporaryFolder folder;
        std::string content;
        for (int i = 0; i < 100'000; ++i)
            content += "{\"a\":1}\n";
        const fs::path path = folder.put("a.jsonl", content);
        // Else the new time could equal the old one.
        QTest::qWait(20);
        const Outcome outcome = read(path, [&](int64_t line, const Json&) {
            if (line != 10)
                return;
            if (change == 0)
                std::ofstream(path, std::ios::app) << "{\"a\":2}\n";
            else if (change == 1)
                fs::resize_file(path, content.size() / 2);
            else if (change == 2)
                fs::rename(folder.put("b.jsonl", content), path);
            else if (change == 3)
                fs::remove(path);
            else
                folder.put("a.jsonl", content);
        });
        QCOMPARE(outcome.kind, ErrorKind::io);
        QVERIFY2(outcome.message.starts_with(path.native() + ": ") &&
                     outcome.message.find("while it was read") != std::string::npos,
                 outcome.message.c_str());
    }

    void whatIsNoFileIsRefusedAtOnce() {
        const TemporaryFolder folder;
        QCOMPARE(read(folder / "absent.jsonl").kind, ErrorKind::not_found);
        QCOMPARE(read(folder.path()).kind, ErrorKind::file_format);
        QCOMPARE(::mkfifo((folder / "fifo.jsonl").c_str(), 0600), 0);
        const Outcome fifo = read(folder / "fifo.jsonl");
        QVERIFY2(fifo.message.ends_with("not a regular file"), fifo.message.c_str());
        QVERIFY(read("/dev/zero").message.ends_with("not a regular file"));
        const Outcome name = read(folder.put("a\nb\x1B.jsonl", "[]\n"));
        QVERIFY2(name.message.find("a\\x0ab\\x1b.jsonl: line 1: ") != std::string::npos,
                 name.message.c_str());
    }

    void realFiles() {
        const fs::path sets = fs::path(SPD_SOURCE_DIR) / "resources/datasets";
        QCOMPARE(read(sets / "gsm8k/train.jsonl").rows.size(), size_t{7473});
        QCOMPARE(read(sets / "gsm8k/test.jsonl").rows.size(), size_t{1319});
        QCOMPARE(read(sets / "mbpp/mbpp.jsonl").rows.size(), size_t{974});
        QVERIFY(read(sets / "svamp/SVAMP.json").message.find("one JSON array") != std::string::npos);
        QVERIFY(read(sets / "mmlu/dev/anatomy_dev.csv").message.find("CSV") != std::string::npos);
    }

    void cleanupTestCase() {
        std::printf("measured: slowest refusal %.0f ms\n", slowest_refusal);
    }
};

QTEST_GUILESS_MAIN(TestJsonLinesFiles)
#include "tst_json_lines_files.moc"
