// Prompts files and files of token ids.

#include <QTest>
#include <cstdio>

#include "core/base/error.h"
#include "core/data/prompts.h"
#include "tests/support/temporary_folder.h"

using namespace spd;
using namespace spd::test;
using namespace std::string_literals;
namespace fs = std::filesystem;

namespace {

template <typename Function>
std::string refusal(const Function& function) {
    try {
        function();
    } catch (const Error& error) {
        return error.kind() == ErrorKind::file_format ? error.what() : "another kind: "s + error.what();
    }
    return "accepted";
}

}  // namespace

class TestPrompts : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void promptsAndMessages() {
        const TemporaryFolder folder;
        const std::vector<Prompt> prompts = readPrompts(folder.put(
            "p.jsonl",
            "{\"id\":\"a\",\"prompt\":\"one\"}\r\n"
            "\n"
            "{\"id\":-7,\"prompt\":\"two\\n\",\"answer\":[1]}\n"
            "{\"messages\":[{\"role\":\"system\",\"content\":\"\"},{\"role\":\"user\",\"content\":\"hi\"}]}\n"
            "{\"id\":9223372036854775807,\"prompt\":\" \"}\n"
            "{\"prompt\":\"last\"}"));
        QCOMPARE(prompts.size(), size_t{5});
        QVERIFY(prompts[0].id == PromptId("a"s) && prompts[0].prompt == "one" && prompts[0].line == 0);
        QVERIFY(prompts[1].id == PromptId(int64_t{-7}) && prompts[1].prompt == "two\n" &&
                prompts[1].line == 2);
        QVERIFY(prompts[2].id == PromptId(int64_t{3}) && !prompts[2].prompt.has_value());
        QCOMPARE(prompts[2].messages.dump(),
                 R"([{"role":"system","content":""},{"role":"user","content":"hi"}])"s);
        QVERIFY(prompts[0].messages.is_null());
        QVERIFY(prompts[3].id == PromptId(INT64_MAX));
        QVERIFY(prompts[4].id == PromptId(int64_t{5}));
    }

    void idsComeBackAsTheyWere_data() {
        QTest::addColumn<QByteArray>("id");
        for (const char* id :
             {"0", "7", "-7", "9223372036854775807", "-9223372036854775808", "\"\"", "\"7\"",
              "\"gsm8k/test/12\"", "\"\\n\\u0000\"", "\"\xC3\xA9\xF0\x9F\x98\x80\"", "\" \""})
            QTest::newRow(id) << QByteArray(id);
    }
    void idsComeBackAsTheyWere() {
        QFETCH(QByteArray, id);
        const TemporaryFolder folder;
        const auto prompts =
            readPrompts(folder.put("p.jsonl", "{\"id\":" + id.toStdString() + ",\"prompt\":\"x\"}"));
        QCOMPARE(toText(prompts.at(0).id), id.toStdString());
        QCOMPARE(toJson(prompts[0].id).dump(), id.toStdString());
    }

    void refusedRows_data() {
        QTest::addColumn<QByteArray>("row");
        QTest::addColumn<QByteArray>("rule");
        const auto row = [](const char* text, const char* rule) {
            QTest::newRow(text) << QByteArray(text) << QByteArray(rule);
        };
        row(R"({})", R"(no field "prompt")");
        row(R"({"Prompt":"x"})", R"(no field "prompt"; there is "Prompt")");
        row(R"({"PROMPT":"x","text":"y"})", R"(no field "prompt"; there is "PROMPT")");
        row(R"({"Messages":[]})", R"(no field "messages"; there is "Messages")");
        row(R"({"ID":1,"prompt":"x"})", R"(no field "id"; there is "ID")");
        row(R"({"prompt":null})", R"("prompt" is to be a string, this is null)");
        row(R"({"prompt":7})", R"("prompt" is to be a string, this is an integer)");
        row(R"({"prompt":["x"]})", R"("prompt" is to be a string, this is an array)");
        row(R"({"prompt":""})", R"("prompt" is empty)");
        row(R"({"prompt":"x","messages":[]})", "both");
        row(R"({"messages":[]})", R"("messages" is empty)");
        row(R"({"messages":"x"})", R"("messages" is to be a list)");
        row(R"({"messages":null})", R"("messages" is to be a list)");
        row(R"({"messages":["x"]})", "message 0 (from 0) is no object");
        row(R"({"messages":[{"role":"user","content":"x"},{"content":"x"}]})",
            R"(message 1 (from 0): no field "role")");
        row(R"({"messages":[{"role":1,"content":"x"}]})", R"(message 0 (from 0): "role" is to be a string)");
        row(R"({"messages":[{"Role":"user","content":"x"}]})", R"(there is "Role")");
        row(R"({"id":null,"prompt":"x"})", R"("id" is to be)");
        row(R"({"id":1.0,"prompt":"x"})", R"("id" is to be)");
        row(R"({"id":1e3,"prompt":"x"})", R"("id" is to be)");
        row(R"({"id":true,"prompt":"x"})", R"("id" is to be)");
        row(R"({"id":[1],"prompt":"x"})", R"("id" is to be)");
        row(R"({"id":-0,"prompt":"x"})", R"("id" is -0)");
        row(R"({"id":9223372036854775808,"prompt":"x"})", R"("id" is to be)");
        row(R"({"id":100000000000000000000000000000,"prompt":"x"})", R"("id" is to be)");
        row(R"({"id":"a","prompt":"x"})", R"(id "a" is already that of line 1)");
        row(R"({"id":2,"prompt":"x"})", "id 2 is already that of line 3");
        row("7", "an object is wanted, this is a number");
    }
    void refusedRows() {
        QFETCH(QByteArray, row);
        QFETCH(QByteArray, rule);
        const TemporaryFolder folder;
        const fs::path path =
            folder.put("p.jsonl", "{\"id\":\"a\",\"prompt\":\"x\"}\n\n{\"prompt\":\"y\"}\n" +
                                      row.toStdString() + "\n{\"prompt\":\"z\"}\n");
        const std::string message = refusal([&] { readPrompts(path); });
        QVERIFY2(message.starts_with(path.native() + ": line 4: ") &&
                     message.find(rule.toStdString()) != std::string::npos,
                 message.c_str());
    }

    /// 1 and "1" are two ids; a line's number may meet an id that an earlier or a later line gives.
    void equalIdsAreRefusedWithBothLines() {
        const TemporaryFolder folder;
        QCOMPARE(readPrompts(
                     folder.put("p.jsonl", "{\"id\":1,\"prompt\":\"x\"}\n{\"id\":\"1\",\"prompt\":\"x\"}\n"))
                     .size(),
                 size_t{2});
        const std::string later = refusal(
            [&] { readPrompts(folder.put("p.jsonl", "{\"id\":1,\"prompt\":\"x\"}\n{\"prompt\":\"x\"}\n")); });
        QVERIFY2(later.ends_with("line 2: id 1 is already that of line 1"), later.c_str());
        std::string content;
        for (int i = 0; i < 300; ++i)
            content += "{\"id\":" + std::to_string(i % 100) + ",\"prompt\":\"x\"}\n";
        const fs::path path = folder.put("p.jsonl", content);
        try {
            readPrompts(path);
            QFAIL("equal ids were accepted");
        } catch (const Error& error) {
            QCOMPARE(error.details().size(), size_t{200});
            QCOMPARE(error.details()[199], path.native() + ": line 300: id 99 is already that of line 100");
        }
    }

    void tokenIds() {
        const TemporaryFolder folder;
        const auto rows = readIds(folder.put(
            "i.jsonl", "{\"ids\":[1,2,3]}\n\n{\"id\":\"x\",\"ids\":[-1, 4294967296],\"prompt_length\":0}"));
        QCOMPARE(rows.size(), size_t{2});
        QCOMPARE(rows[0].ids, (std::vector<int64_t>{1, 2, 3}));
        QVERIFY(rows[0].line == 0 && rows[0].id == PromptId(int64_t{0}));
        QCOMPARE(rows[1].ids, (std::vector<int64_t>{-1, 4294967296}));
        QVERIFY(rows[0].prompt_length == 3 && rows[1].prompt_length == 0);
        QVERIFY(rows[1].line == 2 && rows[1].id == PromptId("x"s));
    }

    void refusedTokenIds_data() {
        QTest::addColumn<QByteArray>("row");
        QTest::addColumn<QByteArray>("rule");
        const auto row = [](const char* text, const char* rule) {
            QTest::newRow(text) << QByteArray(text) << QByteArray(rule);
        };
        row(R"({})", R"(no field "ids")");
        row(R"({"Ids":[1]})", R"(there is "Ids")");
        row(R"({"ids":null})", "is to be a list of integers, this is null");
        row(R"({"ids":"1 2"})", "is to be a list of integers, this is a string");
        row(R"({"ids":7})", "is to be a list of integers, this is an integer");
        row(R"({"ids":[]})", R"("ids" is empty)");
        row(R"({"ids":[1],"prompt_length":2})", R"("prompt_length" is 2, must be 0 to 1, the number of ids)");
        row(R"({"ids":[1],"prompt_length":-1})", R"("prompt_length" is -1, must be 0 to 1)");
        row(R"({"ids":[1],"prompt_length":null})", R"("prompt_length")");
        row(R"({"ids":[1],"Prompt_length":1})", R"(there is "Prompt_length")");
        row(R"({"ids":[1,2.0]})", "its element 1 (from 0) is a number with a fraction");
        row(R"({"ids":[1,"2"]})", "its element 1 (from 0) is a string");
        row(R"({"ids":[null]})", "its element 0 (from 0) is null");
        row(R"({"ids":[[1]]})", "its element 0 (from 0) is an array");
        row(R"({"ids":[true]})", "its element 0 (from 0) is a boolean");
        row(R"({"ids":[18446744073709551615]})", "its element 0 (from 0) is an integer beyond int64");
        row(R"({"ids":[100000000000000000000]})", "its element 0 (from 0) is a number with a fraction");
    }
    void refusedTokenIds() {
        QFETCH(QByteArray, row);
        QFETCH(QByteArray, rule);
        const TemporaryFolder folder;
        const fs::path path = folder.put("i.jsonl", "{\"ids\":[1]}\n" + row.toStdString() + "\n");
        const std::string message = refusal([&] { readIds(path); });
        QVERIFY2(message.starts_with(path.native() + ": line 2: ") &&
                     message.find(rule.toStdString()) != std::string::npos,
                 message.c_str());
    }
};

QTEST_GUILESS_MAIN(TestPrompts)
#include "tst_prompts.moc"
