// Templates, and rows of a task as prompts and examples with their correctness spans.

#include <QTest>

#include "core/base/sha256.h"
#include "core/data/tasks/spans.h"
#include "core/data/tasks/task_row.h"
#include "tests/support/refusal.h"

using namespace spd;
using namespace spd::test;
using namespace std::string_literals;

namespace {

using Json = nlohmann::ordered_json;

std::string part(std::string_view text, const std::optional<TextRange>& range) {
    return range ? std::string(text.substr(range->begin, range->end - range->begin)) : "nothing";
}

std::vector<std::string> spansOf(const CalibrationText& text) {
    std::vector<std::string> spans;
    for (const TextRange& span : text.spans)
        spans.push_back(text.completion.substr(span.begin, span.end - span.begin));
    return spans;
}

const PromptTemplates& templates() {
    static const PromptTemplates shipped = PromptTemplates::open();
    return shipped;
}

CalibrationText textOf(TaskKind task, const char* row, const CodeOptions& options = {}) {
    return calibrationTextOf(task, Json::parse(row), templates(), options);
}

constexpr const char* kProgram =
    R"x({"text":"Add {code} up.","code":"def f(a):\r\n  return a",)x"
    R"x("test_list":[" assert f(1) == 1 ","assert f(\"a, b == c\") == [\"x\", 2]  # why"]})x";

const std::string kToml =
    "[math]\nprompt = \"{question}\"\ncompletion = \"{answer}\"\n"
    "[qa]\nprompt = \"{question}{choices}\"\nchoice = \"{letter}{choice}\"\ncompletion = \"{answer}\"\n"
    "[code]\nprompt = \"{text}{tests}\"\ncalibration_prompt = \"{text}\"\n"
    "completion = \"{code}{assertions}\"\n";

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    return text.replace(text.find(what), what.size(), by);
}

}  // namespace

class TestTaskRows : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void math() {
        const CalibrationText text =
            textOf(TaskKind::math, R"({"question":"How {many}?","answer":"1+1 = <<1+1=2>>2\n#### 2,125"})");
        QCOMPARE(text.prompt, "Question: How {many}?\nAnswer:"s);
        QCOMPARE(text.completion, " 1+1 = <<1+1=2>>2\n#### 2,125"s);
        QCOMPARE(spansOf(text), std::vector<std::string>{"2,125"});
        const CalibrationText none = textOf(TaskKind::math, R"({"question":"q","answer":"two"})");
        QVERIFY(none.spans.empty());
        QCOMPARE(none.missing, "no number after ####"s);
    }

    void qa() {
        const CalibrationText text = textOf(
            TaskKind::qa, R"({"question":" Which?\r\n","choices":["one","A","c, d"," x"],"answer":"C"})");
        QCOMPARE(text.prompt, "Which?\nA. one\nB. A\nC. c, d\nD.  x\nAnswer:"s);
        QCOMPARE(text.completion, " C"s);
        QCOMPARE(spansOf(text), std::vector<std::string>{"C"});
        const auto letter = [](const std::string& answer) {
            const CalibrationText found = textOf(
                TaskKind::qa, (R"({"question":"q","choices":["a","b"],"answer":)" + answer + "}").c_str());
            return found.spans.empty() ? "none: " + found.missing : found.completion;
        };
        QCOMPARE(letter("1"), " B"s);
        QCOMPARE(letter("\" A \""), " A"s);
        for (const char* wrong : {"2", "-1", "\"C\"", "\"a\"", "\"AB\"", "\"\""})
            QCOMPARE(letter(wrong), "none: the answer is the letter of no choice"s);
    }

    void code() {
        const CalibrationText first = textOf(TaskKind::code, kProgram);
        QCOMPARE(first.prompt, "Add {code} up.\n"s);
        QCOMPARE(first.completion, "def f(a):\r\n  return a\nassert f(1) == 1"s);
        QCOMPARE(spansOf(first), std::vector<std::string>{"assert f(1) == 1"});
        const CalibrationText value = textOf(TaskKind::code, kProgram, {.span = CodeSpan::expected_value});
        QCOMPARE(value.completion, first.completion);
        QCOMPARE(value.spans, (std::vector<TextRange>{{37, 38}}));
        const CalibrationText all =
            textOf(TaskKind::code, kProgram, {.span = CodeSpan::all_assertions, .tests_in_prompt = true});
        QCOMPARE(all.prompt,
                 "Add {code} up.\nYour code should pass these tests:\n assert f(1) == 1 \nassert f(\"a, b == "
                 "c\") == [\"x\", 2]  # why\n"s);
        QCOMPARE(all.prompt, promptOf(TaskKind::code, Json::parse(kProgram), templates()));
        QCOMPARE(spansOf(all), (std::vector<std::string>{"assert f(1) == 1",
                                                         "assert f(\"a, b == c\") == [\"x\", 2]  # why"}));
        const char* no_comparison = R"x({"text":"t","code":"c","test_list":["x = 1","assert f(1)"]})x";
        QCOMPARE(spansOf(textOf(TaskKind::code, no_comparison)), std::vector<std::string>{"assert f(1)"});
        QCOMPARE(textOf(TaskKind::code, no_comparison, {.span = CodeSpan::expected_value}).missing,
                 "the first assertion is no comparison by =="s);
        const char* no_assertion = R"x({"text":"t","code":"c","test_list":["f(1)"]})x";
        QCOMPARE(textOf(TaskKind::code, no_assertion).missing, "no assertion among the tests"s);
    }

    void sanitizedPrograms() {
        QCOMPARE(
            promptOf(TaskKind::code, Json::parse(R"({"prompt":"p","test_list":["assert a"]})"), templates()),
            "p\nYour code should pass these tests:\nassert a\n"s);
    }

    void readyRows() {
        const CalibrationText text =
            textOf(TaskKind::qa, "{\"prompt\":\"p\",\"completion\":\"\xC3\xA9yz\",\"spans\":[[1,2]]}");
        QCOMPARE(text.prompt, "p"s);
        QCOMPARE(spansOf(text), std::vector<std::string>{"y"});
        QVERIFY(!textOf(TaskKind::math, R"({"prompt":"p"})").missing.empty());
        QCOMPARE(promptOf(TaskKind::code, Json::parse(R"({"prompt":"p"})"), templates()), "p"s);
    }

    void refusedRows_data() {
        QTest::addColumn<int>("task");
        QTest::addColumn<QByteArray>("row");
        QTest::addColumn<QByteArray>("rule");
        const auto row = [](TaskKind task, const char* text, const char* rule) {
            QTest::addRow("%d %s", static_cast<int>(task), text)
                << static_cast<int>(task) << QByteArray(text) << QByteArray(rule);
        };
        row(TaskKind::math, "{}", R"(no field "answer")");
        row(TaskKind::math, R"({"Question":"q","answer":"a"})", R"(there is "Question")");
        row(TaskKind::math, R"({"question":"q"})", R"(no field "answer")");
        row(TaskKind::math, R"({"question":"q","answer":7})", R"("answer" is to be a string)");
        row(TaskKind::qa, R"({"question":"q","answer":"A"})", R"(no field "choices")");
        row(TaskKind::qa, R"({"question":"q","choices":[],"answer":"A"})", "not empty");
        row(TaskKind::qa, R"({"question":"q","choices":[1],"answer":"A"})", "is to hold texts");
        row(TaskKind::qa, R"({"question":"q","choices":["a"],"answer":null})", R"("answer" is to be)");
        row(TaskKind::code, R"({"text":"t","code":"c"})", R"(no field "test_list")");
        row(TaskKind::code, R"({"text":"t","test_list":["assert a"]})", R"(no field "code")");
        row(TaskKind::code, R"({"code":"c","test_list":["assert a"]})", R"(no field "prompt")");
        row(TaskKind::math, R"({"prompt":"p","completion":"c","spans":[[0,2]]})",
            "is outside the completion");
    }
    void refusedRows() {
        QFETCH(int, task);
        QFETCH(QByteArray, row);
        QFETCH(QByteArray, rule);
        const auto refusal = refusalOf([&] { textOf(static_cast<TaskKind>(task), row.constData()); });
        QVERIFY(refusal && refusal->kind == ErrorKind::file_format);
        QVERIFY2(refusal->says(rule.toStdString()), refusal->message.c_str());
    }

    void finalNumbers_data() {
        QTest::addColumn<QByteArray>("answer");
        QTest::addColumn<QByteArray>("number");
        const auto row = [](const char* answer, const char* number) {
            QTest::newRow(answer) << QByteArray(answer) << QByteArray(number);
        };
        row("x\n#### 72", "72");
        row("####72", "72");
        row("#### -3", "-3");
        row("#### $2,125.50 in all", "2,125.50");
        row("#### .5", ".5");
        row("#### 5.", "5");
        row("#### 1,", "1");
        row("#### 1\n#### 2", "2");
        row("#### \t 7\r\n", "7");
        row("#### x", "nothing");
        row("####", "nothing");
        row("#### -", "nothing");
        row("#### -$5", "nothing");
        row("72", "nothing");
    }
    void finalNumbers() {
        QFETCH(QByteArray, answer);
        QFETCH(QByteArray, number);
        const std::string text = answer.toStdString();
        QCOMPARE(part(text, answerNumber(text)), number.toStdString());
    }

    void numberWithoutCommas() {
        QCOMPARE(answerNumberText("#### 1,234,567"), "1234567"s);
        QCOMPARE(answerNumberText("no"), ""s);
    }

    void expectedValues_data() {
        QTest::addColumn<QByteArray>("assertion");
        QTest::addColumn<QByteArray>("value");
        const auto row = [](const char* assertion, const char* value) {
            QTest::newRow(assertion) << QByteArray(assertion) << QByteArray(value);
        };
        row("assert f(2) == 8", "8");
        row("assert f(2)==[[1, 2], 'a']", "[[1, 2], 'a']");
        row("assert f('a == b, (c') == 'd)'  ", "'d)'");
        row("assert f(\"\\\" == \") == \"\\\\\"", "\"\\\\\"");
        row("assert f('''a'b == ''') == 1", "1");
        row("assert(f(2) == 8)", "8");
        row("assert ((f(2)) == (8))", "8");
        row("assert f(2) == ( (8) )", "8");
        row("assert f(2) == (8,)", "(8,)");
        row("assert f(2) == ()", "()");
        row("assert f(2) == (1) + (2)", "(1) + (2)");
        row("assert (f(2) == 8, 'always true')", "nothing");
        row("assert f(2) == 8, 'message == 9'", "8");
        row("assert f(2) == 8  # comment", "8");
        row("assert f(a=1, b=(2 == 3)) == True", "True");
        row("assert f(1) == 1 + 2 * 3", "1 + 2 * 3");
        row("assert f(1) == -1", "-1");
        row("assert f(1) == {'a': 1, 'b': lambda x: x}", "{'a': 1, 'b': lambda x: x}");
        row("assert f(1) != 1", "nothing");
        row("assert f(1)", "nothing");
        row("assert f(1) >= 1", "nothing");
        row("assert f(1) == 1 == 1", "nothing");
        row("assert f(1) == 1 and f(2) == 2", "nothing");
        row("assert not f(1) == 1", "nothing");
        row("assert f(1) ==", "nothing");
        row("assert f(1 == 1", "nothing");
        row("assert f(1)) == 1", "nothing");
        row("assert f(1) == 'open", "nothing");
        row("assertion == 1", "nothing");
        row("x == 1", "nothing");
        row("assert", "nothing");
        row("", "nothing");
    }
    void expectedValues() {
        QFETCH(QByteArray, assertion);
        QFETCH(QByteArray, value);
        const std::string text = assertion.toStdString();
        QCOMPARE(part(text, expectedValue(text)), value.toStdString());
    }

    /// Comments and order do not count, texts do, and one task's texts are not another's.
    void hashesOfTemplates() {
        const PromptTemplates plain = PromptTemplates::parse(kToml, "t.toml");
        const PromptTemplates other =
            PromptTemplates::parse("# more\n" + replaced(kToml, "{question}\"", "{question} \""), "t.toml");
        QVERIFY(plain.sha256("math") != other.sha256("math"));
        QCOMPARE(plain.sha256("code"), other.sha256("code"));
        QCOMPARE(plain.sha256("math"), sha256Hex("math.completion 8 {answer}\nmath.prompt 10 {question}\n"));
    }

    void refusedTemplates_data() {
        QTest::addColumn<QByteArray>("toml");
        QTest::addColumn<QByteArray>("rule");
        const auto row = [](const std::string& toml, const char* rule) {
            QTest::newRow(rule) << QByteArray::fromStdString(toml) << QByteArray(rule);
        };
        row(kToml + "x = \"y\"\n", "t.toml: code.x: no template of this program");
        row(replaced(kToml, "\"{question}\"", "7"), "t.toml: math.prompt: no template of this program");
        row(replaced(kToml, "{question}", "{query}"), "t.toml: math.prompt: there is no field {query}");
        row(replaced(kToml, "{question}", "q"), "t.toml: math.prompt: the field {question} is missing");
        row(replaced(kToml, "[qa]", ""), "t.toml: line 5:");
        row(replaced(kToml, "choice = \"{letter}{choice}\"\n", ""), "t.toml: qa.choice: missing");
        row("math = 1", "t.toml: math: a table is wanted");
        row("[math", "t.toml: line 1:");
    }
    void refusedTemplates() {
        QFETCH(QByteArray, toml);
        QFETCH(QByteArray, rule);
        const auto refusal = refusalOf([&] { PromptTemplates::parse(toml.toStdString(), "t.toml"); });
        QVERIFY(refusal && refusal->kind == ErrorKind::file_format && refusal->isOneLine());
        QVERIFY2(refusal->says(rule.toStdString()), refusal->message.c_str());
    }

    void names() {
        for (const TaskKind task : {TaskKind::math, TaskKind::code, TaskKind::qa})
            QVERIFY(parseTask(std::string(name(task))) == task);
        for (const CodeSpan span :
             {CodeSpan::first_assertion, CodeSpan::expected_value, CodeSpan::all_assertions})
            QVERIFY(parseCodeSpan(std::string(name(span))) == span);
        QVERIFY(refusalOf([] { parseTask("Math"); })->kind == ErrorKind::invalid_argument);
        QVERIFY(refusalOf([] { parseCodeSpan(""); })->kind == ErrorKind::invalid_argument);
    }
};

QTEST_GUILESS_MAIN(TestTaskRows)
#include "tst_task_rows.moc"
