// readJsonLines: what is a row, what is refused and how it is told.

#include <QTest>
#include <cstdio>

#include "tests/support/json_lines_outcome.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
using namespace std::string_literals;
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

class TestJsonLines : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void lineEndsAndBlankLines_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QList<int>>("lines");
        const auto row = [](const char* name, const std::string& content, const QList<int>& lines) {
            QTest::newRow(name) << QByteArray::fromStdString(content) << lines;
        };
        row("LF", "{\"a\":1}\n{\"a\":2}\n", {0, 1});
        row("no final end", "{\"a\":1}\n{\"a\":2}", {0, 1});
        row("CRLF", "{\"a\":1}\r\n{\"a\":2}\r\n", {0, 1});
        row("CRLF, no final end", "{\"a\":1}\r\n{\"a\":2}", {0, 1});
        row("mixed", "{\"a\":1}\r\n{\"a\":2}\n{\"a\":3}\r\n", {0, 1, 2});
        row("blank lines", "\n\n{\"a\":1}\n\n  \t\n{\"a\":2}\n\n", {2, 5});
        row("blank CRLF lines", "\r\n{\"a\":1}\r\n\r\n{\"a\":2}\r\n\r\n", {1, 3});
        row("one row, no end", "{}", {0});
        row("blanks around a row", " \t{\"a\":1} \t\n", {0});
    }
    void lineEndsAndBlankLines() {
        QFETCH(QByteArray, content);
        QFETCH(QList<int>, lines);
        const TemporaryFolder folder;
        const Outcome outcome = read(folder.put("a.jsonl", content.toStdString()));
        QCOMPARE(outcome.message, ""s);
        QCOMPARE(outcome.rows.size(), static_cast<size_t>(lines.size()));
        for (size_t i = 0; i < outcome.rows.size(); ++i)
            QCOMPARE(outcome.rows[i].first, int64_t{lines[static_cast<int>(i)]});
    }

    void refusedRows_data() {
        QTest::addColumn<QByteArray>("bad");
        QTest::addColumn<QByteArray>("rule");
        const auto row = [](const char* name, const std::string& bad, const char* rule) {
            QTest::newRow(name) << QByteArray::fromStdString(bad) << QByteArray(rule);
        };
        row("byte FF", "{\"a\":\"\xFF\"}", "byte 7: ");
        row("byte FF alone", "\xFF", "byte 1: ");
        row("overlong", "{\"a\":\"\xC0\xAF\"}", "byte 7: ");
        row("surrogate bytes", "{\"a\":\"\xED\xA0\x80\"}", "ill-formed UTF-8");
        row("byte order mark", "\xEF\xBB\xBF{\"a\":1}", "byte order mark");
        row("NUL", "{\"a\":\"x\0y\"}"s, "byte 8: NUL");
        row("NUL behind", "{\"a\":1}\0"s, "NUL");
        row("lone CR", "{\"a\":1}\r{\"a\":2}", "byte 8: carriage return without a line feed");
        row("CR inside", "{\"a\":\r1}", "carriage return");
        row("two CR before LF", "{\"a\":1}\r\r", "carriage return");
        row("array", "[1]", "an object is wanted, this is an array");
        row("string", "\"a\"", "an object is wanted, this is a string");
        row("number", "1", "an object is wanted, this is a number");
        row("null", "null", "an object is wanted, this is a null");
        row("1e999", "{\"a\":1e999}", "number overflow");
        row("leading zero", "{\"a\":01}", "byte 7: ");
        row("NaN", "{\"a\":NaN}", "byte 6: ");
        row("high surrogate", "{\"a\":\"\\ud800\"}", "surrogate");
        row("low surrogate", "{\"a\":\"\\udc00\"}", "surrogate");
        row("duplicate key", "{\"a\":1,\"a\":2}", "duplicate key \"a\"");
        row("duplicate key by escape", "{\"a\":1,\"\\u0061\":2}", "duplicate key \"a\"");
        row("duplicate key inside", "{\"b\":{\"a\":1,\"a\":2}}", "duplicate key \"a\"");
        row("65 deep", "{\"a\":" + std::string(64, '[') + std::string(64, ']') + "}",
            "nested deeper than 64");
        row("100,000 open brackets", std::string(100'000, '['), "nested deeper than 64");
        row("cut off", "{\"a\":", "end of input");
        row("two rows in a line", "{\"a\":1}{\"a\":2}", "byte 8: ");
        row("control character", "{\"a\":\"\x01\"}", "control character");
        row("single quotes", "{'a':1}", "byte 2: ");
        row("escape sequence", "\x1B[31mred", "byte 1: ");
    }
    /// Each between two good rows, which are delivered.
    void refusedRows() {
        QFETCH(QByteArray, bad);
        QFETCH(QByteArray, rule);
        const TemporaryFolder folder;
        const fs::path path = folder.put("a.jsonl", "{\"a\":1}\n" + bad.toStdString() + "\n\n{\"a\":3}\n");
        const Outcome outcome = read(path);
        QCOMPARE(outcome.kind, ErrorKind::file_format);
        QVERIFY2(outcome.message.starts_with(path.native() + ": line 2: "), outcome.message.c_str());
        QVERIFY2(outcome.message.find(rule.toStdString()) != std::string::npos, outcome.message.c_str());
        for (const char c : outcome.message)
            QVERIFY(static_cast<unsigned char>(c) >= 0x20);
        QVERIFY(outcome.details.empty());
        QCOMPARE(outcome.rows.size(), size_t{2});
        QCOMPARE(outcome.rows[1].first, int64_t{3});
    }

    void otherFilesAreNamed_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QByteArray>("kind");
        const auto row = [](const char* name, const std::string& content, const char* kind) {
            QTest::newRow(name) << QByteArray::fromStdString(content) << QByteArray(kind);
        };
        row("gzip", "\x1F\x8B\x08\0\0\0\0\0"s, "gzip");
        row("HDF5", "\x89HDF\r\n\x1a\n"s, "HDF5");
        row("xet", "# xet version 0\nfilesize = 3\n", "a Xet pointer");
        row("arrow stream", "\xFF\xFF\xFF\xFF\x10"s, "Arrow");
        row("mark before an HTML page", "\xEF\xBB\xBF<!Doctype html>", "HTML");
        row("parquet", "PAR1\x15\x04\x15"s, "Parquet");
        row("zstd", "\x28\xB5\x2F\xFD\x04"s, "zstd");
        row("xz",
            "\xFD"
            "7zXZ\0\0"s,
            "xz");
        row("bzip2", "BZh91AY&SY", "bzip2");
        row("zip", "PK\x03\x04\x14", "zip");
        row("sqlite", "SQLite format 3\0\x10"s, "SQLite");
        row("arrow", "ARROW1\0\0"s, "Arrow");
        row("pdf", "%PDF-1.7\n", "PDF");
        row("pickle", "\x80\x04\x95\0\0"s, "pickle");
        row("git lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "Git LFS");
        row("html", "<!DOCTYPE html>\n<html><body>404</body></html>", "HTML");
        row("html in capitals after blanks", "\n\n <HTML>\n", "HTML");
        row("xml", "<?xml version=\"1.0\"?><a/>", "XML");
        row("csv", "id,prompt\n1,hello\n2,\"a, b\"\n", "CSV");
        row("tsv", "id\tprompt\n1\thello\n", "CSV");
        row("array over lines", "[\n  {\"a\": 1},\n  {\"a\": 2}\n]\n", "one JSON array");
        row("array that starts with a row", "[{\"a\": 1},\n{\"a\": 2}]\n", "one JSON array");
        row("object over lines", "{\n  \"a\": 1\n}\n", "one JSON value over several lines");
        row("UTF-16 LE", "\xFF\xFE{\0\"\0"s, "UTF-16");
        row("UTF-16 BE", "\xFE\xFF\0{\0\""s, "UTF-16");
        row("UTF-16 LE without a mark", "{\0\"\0a\0\"\0"s, "UTF-16");
        row("UTF-16 BE without a mark", "\0{\0\"\0a\0\""s, "UTF-16");
        row("UTF-32", "\xFF\xFE\0\0{\0\0\0"s, "UTF-32");
        row("empty", "", "no rows");
        row("blank lines only", "\n\r\n \t\n\n", "no rows");
    }
    void otherFilesAreNamed() {
        QFETCH(QByteArray, content);
        QFETCH(QByteArray, kind);
        const TemporaryFolder folder;
        const fs::path path = folder.put("a.jsonl", content.toStdString());
        const Outcome outcome = read(path);
        QCOMPARE(outcome.kind, ErrorKind::file_format);
        QVERIFY2(outcome.message.starts_with(path.native() + ": ") &&
                     outcome.message.find(kind.toStdString()) != std::string::npos,
                 outcome.message.c_str());
        QVERIFY(outcome.rows.empty() && outcome.details.empty());
    }

    /// A bad first row alone does not make another kind of file of it.
    void aBadFirstRowIsNoOtherKind() {
        const TemporaryFolder folder;
        const Outcome outcome = read(folder.put("a.jsonl", "oops, sorry\n{\"a\":1}\n{\"a\":}\n"));
        QCOMPARE(outcome.details.size(), size_t{2});
        QCOMPARE(outcome.rows.size(), size_t{1});
    }

    void allBadRowsAreReportedUpToAThousand() {
        const TemporaryFolder folder;
        std::string content;
        for (int i = 0; i < 1500; ++i)
            content += "{\"a\":1}\n{\"a\":}\n";
        const fs::path path = folder.put("a.jsonl", content);
        const Outcome outcome = read(path);
        QCOMPARE(outcome.rows.size(), size_t{1500});
        QCOMPARE(outcome.details.size(), size_t{1000});
        for (size_t i = 0; i < 1000; ++i)
            QVERIFY(
                outcome.details[i].starts_with(path.native() + ": line " + std::to_string(2 * i + 2) + ": "));
        QVERIFY2(outcome.message.starts_with(outcome.details[0]) &&
                     outcome.message.ends_with("(and 1499 more bad rows)"),
                 outcome.message.c_str());
    }

    void refusalsOfTheCallerAreCollectedOthersEndTheReading() {
        const TemporaryFolder folder;
        const fs::path path = folder.put("a.jsonl", "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
        const Outcome outcome = read(path, [&](int64_t line, const Json& row) {
            if (line == 0)
                throw rowError("rule\nof the caller");
            if (row["a"] == 3)
                throw Error::fileFormat(path.native(), "line 3", "another rule");
        });
        QCOMPARE(outcome.details,
                 (std::vector<std::string>{path.native() + ": line 1: rule\\x0aof the caller",
                                           path.native() + ": line 3: another rule"}));
        QCOMPARE(outcome.rows.size(), size_t{1});
        int calls = 0;
        QVERIFY_EXCEPTION_THROWN(readJsonLines(path,
                                               [&](int64_t, const Json&) {
                                                   ++calls;
                                                   throw Cancelled();
                                               }),
                                 Cancelled);
        QCOMPARE(calls, 1);
    }

    void cleanupTestCase() { std::printf("measured: slowest refusal %.0f ms\n", slowest_refusal); }
};

QTEST_GUILESS_MAIN(TestJsonLines)
#include "tst_json_lines.moc"
