// A corpus in other programs' lines. The whole command is held against the formats' rules in
// tests/app/test_export_corpus.py.

#include <QTest>

#include "core/data/curation/corpus_formats.h"
#include "tests/support/refusal.h"

using namespace spd;
using namespace spd::test;
using namespace std::string_literals;

namespace {

using Json = nlohmann::ordered_json;

std::string line(const char* format, const char* messages = nullptr) {
    const Json turns = messages != nullptr ? Json::parse(messages) : Json();
    return formatRecord(parseCorpusFormat(format), "p\n", " c", messages != nullptr ? &turns : nullptr)
        .dump();
}

constexpr const char* kTalk = R"([{"role":"system","content":"s"},{"role":"user","content":"1"},)"
                              R"({"role":"assistant","content":"2"},{"role":"user","content":"3"}])";

}  // namespace

class TestCorpusFormats : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void bareTexts() {
        QCOMPARE(line("prompt-completion"), R"({"prompt":"p\n","completion":" c"})"s);
        QCOMPARE(line("messages"),
                 R"({"messages":[{"role":"user","content":"p\n"},{"role":"assistant","content":" c"}]})"s);
        QCOMPARE(line("alpaca"), R"({"instruction":"p\n","input":"","output":" c"})"s);
        QCOMPARE(line("sharegpt"),
                 R"({"conversations":[{"from":"human","value":"p\n"},{"from":"gpt","value":" c"}]})"s);
    }

    void conversations() {
        QCOMPARE(line("messages", kTalk),
                 R"({"messages":[{"role":"system","content":"s"},{"role":"user","content":"1"},)"
                 R"({"role":"assistant","content":"2"},{"role":"user","content":"3"},)"
                 R"({"role":"assistant","content":" c"}]})"s);
        QCOMPARE(line("alpaca", kTalk),
                 R"({"instruction":"3","input":"","output":" c","system":"s","history":[["1","2"]]})"s);
        QCOMPARE(line("sharegpt", kTalk),
                 R"({"conversations":[{"from":"system","value":"s"},{"from":"human","value":"1"},)"
                 R"({"from":"gpt","value":"2"},{"from":"human","value":"3"},{"from":"gpt","value":" c"}]})"s);
        // What a template takes and TRL as well, `messages` keeps.
        const char* parts = R"([{"role":"tool","content":[{"type":"text","text":"x"}],"name":"f"}])";
        QCOMPARE(line("messages", parts),
                 R"({"messages":[{"role":"tool","content":[{"type":"text","text":"x"}],"name":"f"},)"
                 R"({"role":"assistant","content":" c"}]})"s);
    }

    void refused_data() {
        QTest::addColumn<QByteArray>("format");
        QTest::addColumn<QByteArray>("messages");
        QTest::addColumn<QByteArray>("rule");
        const auto row = [](const char* format, const char* messages, const char* rule) {
            QTest::addRow("%s %s", format, messages)
                << QByteArray(format) << QByteArray(messages) << QByteArray(rule);
        };
        row("sharegpt", R"([{"role":"tool","content":"x"}])", R"(a message of the role "tool")");
        row("sharegpt", R"([{"role":"user","content":["x"]}])", "\"content\" is no text");
        row("sharegpt", R"([{"role":"user"}])", "\"content\" is no text");
        row("alpaca", R"([{"role":"user","content":"a"},{"role":"user","content":"b"}])", "do not alternate");
        row("alpaca", R"([{"role":"system","content":"a"}])", "do not alternate");
        row("alpaca", R"([{"role":"assistant","content":"a"}])", "do not alternate");
        row("alpaca", R"([{"role":"tool","content":"a"}])", "do not alternate");
        row("alpaca", R"([{"role":"user","content":null}])", "\"content\" is no text");
    }
    void refused() {
        QFETCH(QByteArray, format);
        QFETCH(QByteArray, messages);
        QFETCH(QByteArray, rule);
        const auto refusal = refusalOf([&] { line(format.constData(), messages.constData()); });
        QVERIFY(refusal && refusal->kind == ErrorKind::file_format);
        QVERIFY2(refusal->says(rule.toStdString()), refusal->message.c_str());
    }

    void names() {
        for (const char* word : {"prompt-completion", "messages", "alpaca", "sharegpt", "corpus"})
            QCOMPARE(std::string(name(parseCorpusFormat(word))), std::string(word));
        const auto refusal = refusalOf([] { parseCorpusFormat("parquet"); });
        QVERIFY(refusal && refusal->kind == ErrorKind::invalid_argument);
    }
};

QTEST_GUILESS_MAIN(TestCorpusFormats)
#include "tst_corpus_formats.moc"
