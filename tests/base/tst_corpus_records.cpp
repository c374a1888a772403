// readCorpus: every field of every record is checked.

#include <QTest>

#include "core/base/error.h"
#include "tests/support/corpus_job.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
namespace fs = std::filesystem;

class TestCorpusRecords : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void whatIsWrittenIsReadBack() {
        const TemporaryFolder folder;
        const CorpusJob job(25);
        job.run(folder / "x.jsonl", 5);
        size_t next = 0;
        readCorpus(folder / "x.jsonl", [&](int64_t line, const CorpusRecord& record) {
            const CorpusRecord expected = job.record(next);
            QCOMPARE(line, static_cast<int64_t>(next++));
            QVERIFY(record.id == expected.id);
            QCOMPARE(record.prompt, expected.prompt);
            QCOMPARE(record.completion, expected.completion);
            QCOMPARE(record.completion_ids, expected.completion_ids);
            QCOMPARE(record.finish_reason, expected.finish_reason);
            QCOMPARE(record.prompt_tokens, expected.prompt_tokens);
        });
        QCOMPARE(next, size_t{25});
    }

    void everyCharacterComesBack() {
        std::string text;
        for (int byte = 0; byte < 0x80; ++byte)
            text += static_cast<char>(byte);
        text += "\xC2\x80\xDF\xBF\xE0\xA0\x80\xEF\xBF\xBF\xF0\x90\x80\x80\xF4\x8F\xBF\xBF";
        const CorpusRecord record = {text, text, text, {0, INT32_MAX}, "stop", 0};
        const TemporaryFolder folder;
        const std::string line = toJsonLine(record);
        QVERIFY(line.find_first_of("\r\n") == std::string::npos);
        readCorpus(folder.put("x.jsonl", line), [&](int64_t, const CorpusRecord& read) {
            QVERIFY(read.id == record.id && read.prompt == text && read.completion == text);
            QCOMPARE(read.completion_ids, record.completion_ids);
        });
    }

    void refusedRecords_data() {
        QTest::addColumn<QByteArray>("field");
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<QByteArray>("rule");
        const auto row = [](const char* field, const char* value, const char* rule) {
            QTest::addRow("%s %s", field, value)
                << QByteArray(field) << QByteArray(value) << QByteArray(rule);
        };
        row("id", "null", "\"id\" is to be");
        row("id", "\"first\"", "id \"first\" is already that of line 1");
        row("prompt", "", "no field \"prompt\"");
        row("prompt", "1", "\"prompt\" is to be a string");
        row("completion", "", "no field \"completion\"");
        row("completion", "null", "\"completion\" is to be a string, this is null");
        row("completion_ids", "", "no field \"completion_ids\"");
        row("completion_ids", "[1,2.5]", "its element 1 (from 0)");
        row("completion_ids", "[1,-1]", "-1 is no token id");
        row("completion_ids", "[1,2147483648]", "2147483648 is no token id");
        row("completion_ids", "{}", "is to be a list of integers");
        row("finish_reason", "", "no field \"finish_reason\"");
        row("finish_reason", "\"eos\"", "\"eos\", neither");
        row("prompt_tokens", "-1", "\"prompt_tokens\" is negative");
        row("prompt_tokens", "1.5", "\"prompt_tokens\" is to be an integer");
        row("prompt_tokens", "", "no field \"prompt_tokens\"");
        row("completion_tokens", "3", "\"completion_tokens\" is 3, \"completion_ids\" has 2");
        row("completion_tokens", "", "no field \"completion_tokens\"");
    }
    void refusedRecords() {
        QFETCH(QByteArray, field);
        QFETCH(QByteArray, value);
        QFETCH(QByteArray, rule);
        const CorpusRecord record = {std::string("first"), "p", "c", {1, 2}, "stop", 3};
        auto bad = nlohmann::ordered_json::parse(toJsonLine(record));
        bad["id"] = "second";
        bad.erase(field.toStdString());
        if (!value.isEmpty())
            bad[field.toStdString()] = nlohmann::ordered_json::parse(value.toStdString());
        const TemporaryFolder folder;
        const fs::path path = folder.put("x.jsonl", toJsonLine(record) + "\n" + bad.dump() + "\n");
        int good = 0;
        try {
            readCorpus(path, [&](int64_t, const CorpusRecord&) { ++good; });
            QFAIL("accepted");
        } catch (const Error& error) {
            const std::string message = error.what();
            QCOMPARE(error.exitCode(), 3);
            QVERIFY2(message.starts_with(path.native() + ": line 2: ") &&
                         message.find(rule.toStdString()) != std::string::npos,
                     message.c_str());
        }
        QCOMPARE(good, 1);
    }
};

QTEST_GUILESS_MAIN(TestCorpusRecords)
#include "tst_corpus_records.moc"
