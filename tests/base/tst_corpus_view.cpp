// A look into a corpus that grows, ends, and is made anew; and characters of a text by its bytes.

#include <fmt/format.h>

#include <QTest>
#include <fstream>

#include "core/base/error.h"
#include "core/data/corpus/corpus_view.h"
#include "core/data/corpus_file.h"
#include "core/text/token_texts.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using nlohmann::ordered_json;

namespace {

CorpusRecord record(int64_t id, const std::string& text) {
    return {id, fmt::format("prompt {}", id), text, {1, 2, static_cast<int32_t>(id)}, "stop", 2};
}

void append(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::app | std::ios::binary) << bytes;
}

}  // namespace

class TestCorpusView : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void followsAGrowingFileByWholeLines() {
        const test::TemporaryFolder folder;
        const std::filesystem::path partial = folder / "c.partial.jsonl";
        CorpusView view(folder / "c.jsonl");
        view.update();
        QVERIFY(!view.isThere() && view.count() == 0 && view.rows(0, 10, 1 << 20).empty());
        std::vector<std::string> lines;
        for (int64_t id = 0; id < 5; ++id)
            lines.push_back(toJsonLine(record(id, std::string(static_cast<size_t>(id * 100), 'x'))) + "\n");
        append(partial, lines[0] + lines[1] + lines[2].substr(0, 20));
        view.update();
        QVERIFY(view.isThere() && !view.isComplete());
        QCOMPARE(view.count(), int64_t{2});
        append(partial, lines[2].substr(20) + lines[3]);
        view.update();
        QCOMPARE(view.count(), int64_t{4});
        QCOMPARE(view.statistics().completions(), int64_t{4});
        QVERIFY(view.rows(1, 2, 1 << 20) ==
                ordered_json::array({ordered_json::parse(lines[1]), ordered_json::parse(lines[2])}));
        QCOMPARE(view.rows(3, 100, 1 << 20).size(), size_t{1});
        QCOMPARE(view.rows(0, 4, 1).size(), size_t{1});  // one always, however large
        QVERIFY(view.rows(9, 4, 1 << 20).empty());
        append(folder / "c.jsonl", lines[4] + lines[0] + lines[1]);
        std::filesystem::remove(partial);
        view.update();
        QVERIFY(view.isComplete());
        QCOMPARE(view.count(), int64_t{3});
        QVERIFY(view.rows(0, 1, 1 << 20)[0]["id"] == 4);
        append(partial, lines[1]);  // made anew
        view.update();
        QVERIFY(!view.isComplete() && view.count() == 1);
    }

    void refusesALineThatIsNoRecord() {
        const test::TemporaryFolder folder;
        append(folder / "c.jsonl", "{\"id\":1}\n");
        CorpusView view(folder / "c.jsonl");
        try {
            view.update();
            QFAIL("not refused");
        } catch (const Error& error) {
            QVERIFY(error.kind() == ErrorKind::file_format);
            QVERIFY(std::string(error.what()).find("line 1") != std::string::npos);
        }
    }

    void readsALargeCorpusOnce() {
        const test::TemporaryFolder folder;
        std::string lines;
        for (int64_t id = 0; id < 20'000; ++id)
            lines += toJsonLine(record(id, std::string(400, 'y'))) + "\n";
        append(folder / "c.jsonl", lines);
        CorpusView view(folder / "c.jsonl");
        view.update();
        QCOMPARE(view.count(), int64_t{20'000});
        QBENCHMARK_ONCE {
            view.update();
            QVERIFY(view.rows(19'990, 10, 1 << 20)[9]["id"] == 19'999);
        }
    }

    void charactersOfBytes() {
        const CharacterOffsets characters("a\u00e9\u4f60b");  // 1, 2, 3, 1 bytes
        QVERIFY((characters.of(0, 1) == TextRange{0, 1}));
        QVERIFY((characters.of(1, 3) == TextRange{1, 2}));
        QVERIFY((characters.of(3, 4) == TextRange{2, 3}));  // the first byte of three
        QVERIFY((characters.of(4, 7) == TextRange{2, 4}));  // its rest, and b
        QVERIFY((characters.of(7, 7) == TextRange{4, 4}));
        QVERIFY((CharacterOffsets("").of(0, 0) == TextRange{0, 0}));
    }
};

QTEST_APPLESS_MAIN(TestCorpusView)
#include "tst_corpus_view.moc"
